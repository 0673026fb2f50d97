import { describe, expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { checkUrl, createUrlCheck } from '../../src/sender/address-guard.ts'
import { type AddressPolicyOptions, createAddressPolicy } from '../../src/sender/address-policy.ts'
import { parseNetworks } from '../../src/sender/address-ranges.ts'
import type { Lookup } from '../../src/sender/resolver.ts'

const strict = createAddressPolicy()

function refusalOf(url: string, options: AddressPolicyOptions = {}): OuthookError | null {
  try {
    checkUrl(url, createAddressPolicy(options))
    return null
  } catch (error) {
    if (error instanceof OuthookError) return error
    throw error
  }
}

const refusedAddresses = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::a00:1',
  '100::1',
  '100:0:0:1::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
]

const publicAddresses = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001::200e',
  '::ffff:8.8.8.8',
]

test.each(refusedAddresses)('%s is refused', (address) => {
  expect(strict.refuseAddress(address)).toMatch(/allow it with --allow-network \S+\/\d+/)
})

test.each(publicAddresses)('%s is allowed', (address) => {
  expect(strict.refuseAddress(address)).toBeNull()
})

test.each(refusedAddresses)('the flag that the refusal of %s names allows it', (address) => {
  const network = /--allow-network (\S+)/.exec(strict.refuseAddress(address) ?? '')?.[1] ?? ''
  expect(createAddressPolicy({ allowNetworks: [network] }).refuseAddress(address)).toBeNull()
})

test('what is not an address is refused', () => {
  expect(strict.refuseAddress('localhost')).toContain('is not an address')
})

describe('a URL', () => {
  test.each([
    ['http://example.com/', 'allow it with --allow-http'],
    ['ftp://example.com/', 'use https://'],
    ['file:///etc/passwd', 'use https://'],
    ['data:text/plain,x', 'use https://'],
    ['javascript:alert(1)', 'use https://'],
    ['https://user:pass@example.com/', 'a credential of the kind basic'],
    ['https://user@example.com/', 'a credential of the kind basic'],
    ['https://:pass@example.com/', 'a credential of the kind basic'],
    ['https://example.com:0/', 'port 0'],
    ['https://', 'not a URL'],
    ['example.com/hook', 'not a URL'],
    ['', 'not a URL'],
    ['https://exa mple.com/', 'not a URL'],
    ['https://example.com:99999/', 'not a URL'],
    ['https://[::1', 'not a URL'],
    ['https://256.256.256.256/', 'not a URL'],
    [`https://example.com/${'a'.repeat(2100)}`, 'longer than 2048'],
  ])('%s is refused with a reason', (url, reason) => {
    const refusal = refusalOf(url)
    expect(refusal?.code).toBe('url_rejected')
    expect(refusal?.message).toContain(reason)
  })

  test.each([
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0.0.1/',
    'https://0X7F.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://00000177.0.0.1/',
    'https://127.0.0.1:8443/x',
    'https://%31%32%37.0.0.1/',
    'https://１２７.0.0.1/',
    'https://127。0。0。1/',
    'https://①②⑦.0.0.1/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:ffff:127.0.0.1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[2002:7f00:0001::]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://0/',
    'https://0.0.0.0/',
    'https://10.1/',
    'https://0xa000001/',
    'https://169.254.169.254/latest/meta-data/',
    'https://0xa9fea9fe/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://app.localhost/',
    'ht\ntps://127.0.0.1/',
    '\thttps://127.0.0.1/',
    'https:127.0.0.1',
    'https:\\\\127.0.0.1\\',
    'https://example.com@127.0.0.1/',
  ])('%s is refused at creation', (url) => {
    expect(refusalOf(url)?.code).toBe('url_rejected')
  })

  test.each(['https://example.com/', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]:8443/x?y=z'])(
    '%s is accepted',
    (url) => {
      expect(checkUrl(url, strict).href).toBe(url)
    },
  )

  test('with http and loopback allowed reaches this machine and no other private network', () => {
    const options = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
    expect(refusalOf('http://127.0.0.1:3000/hook', options)).toBeNull()
    expect(refusalOf('http://localhost:3000/hook', options)).toBeNull()
    expect(refusalOf('http://[::ffff:127.0.0.1]:3000/hook', options)).toBeNull()
    expect(refusalOf('http://10.0.0.1/', options)?.code).toBe('url_rejected')
    expect(refusalOf('http://[::1]/', options)?.message).toContain('--allow-network ::1/128')
  })
})

describe('networks', () => {
  test.each(['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1', ' 10.0.0.0/8 ', '::ffff:10.0.0.0/104'])(
    '%s is understood',
    (network) => {
      expect(parseNetworks([network])).toHaveLength(1)
    },
  )

  test.each([
    '',
    '10',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'localhost',
    '0x7f.1/8',
    'fe80::1%eth0/64',
  ])('"%s" is refused by name', (network) => {
    expect(() => parseNetworks([network])).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining(`"${network}"`) }),
    )
  })

  test('a range in IPv4-mapped form is that IPv4 range', () => {
    const policy = createAddressPolicy({ allowNetworks: ['::ffff:10.0.0.0/104'] })
    expect(policy.refuseAddress('10.9.9.9')).toBeNull()
    expect(policy.refuseAddress('127.0.0.1')).not.toBeNull()
  })
})

describe('the check at creation', () => {
  const clock = createSystemClock()
  const answering =
    (...addresses: string[]): Lookup =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

  test('accepts a name whose answers are all public', async () => {
    const check = createUrlCheck(strict, { clock, lookup: answering('8.8.8.8', '2606:4700:4700::1111') })
    expect((await check('https://hook.test/x')).href).toBe('https://hook.test/x')
  })

  test('refuses a name that has one private answer among public ones', async () => {
    const check = createUrlCheck(strict, { clock, lookup: answering('8.8.8.8', '10.0.0.7') })
    await expect(check('https://hook.test/')).rejects.toMatchObject({
      code: 'url_rejected',
      message: expect.stringContaining(
        '10.0.0.7 is a private address; allow it with --allow-network 10.0.0.0/8',
      ),
    })
  })

  test('accepts a name that does not resolve: the dial decides', async () => {
    const lookup: Lookup = () => Promise.reject(new Error('no such name'))
    await expect(createUrlCheck(strict, { clock, lookup })('https://later.test/')).resolves.toBeInstanceOf(
      URL,
    )
  })

  test('accepts a name whose server does not answer in time', async () => {
    const lookup: Lookup = () => new Promise(() => {})
    const check = createUrlCheck(strict, { clock, lookup, timeoutMs: 20 })
    await expect(check('https://slow.test/')).resolves.toBeInstanceOf(URL)
  })
})

test.each([
  'https://a.test/x\r\ny',
  'https://a.test/\tx',
  'https://a.te\nst/',
  ' https://a.test/',
  'https://a.test/ ',
])('%j is refused, because another URL than the written one would be called', (url) => {
  expect(refusalOf(url)).toMatchObject({
    code: 'url_rejected',
    message: expect.stringContaining('line break'),
  })
  expect(refusalOf('https://a.test/x')).toBeNull()
})
