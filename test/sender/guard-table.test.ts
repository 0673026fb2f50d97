/** The guard's table: no way through, when an endpoint is created and when it is connected to. */
import { expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { createUrlCheck } from '../../src/sender/address-guard.ts'
import { createAddressPolicy } from '../../src/sender/address-policy.ts'
import { aDnsServer, type DnsServer } from './a-dns-server.ts'
import { loopbackSpellings, nameCases, privateSpellings, wrongUrls } from './guard-cases.ts'
import { answering, aRawReceiver, aRequest, aSender, failureFrom, ok, responseFrom } from './raw-receiver.ts'

const clock = createSystemClock()
const guard = createAddressPolicy({ allowHttp: true })
const rejected = { code: 'url_rejected' }

function checkWith(dns: DnsServer, policy = guard) {
  return createUrlCheck(policy, { clock, lookup: dns.lookup })
}

test('the table has at least 160 cases', () => {
  const all = [...loopbackSpellings, ...privateSpellings, ...wrongUrls, ...nameCases]
  expect(all.length).toBeGreaterThanOrEqual(160)
  expect(new Set(all).size).toBe(all.length)
})

test.each([...loopbackSpellings, ...privateSpellings])(
  'the host %s is refused at creation and not connected to',
  async (host) => {
    const dns = await aDnsServer()
    const receiver = await aRawReceiver(answering(ok))
    const url = `http://${host}:${receiver.port}/`
    await expect(checkWith(dns)(url)).rejects.toMatchObject(rejected)
    const result = await failureFrom(aSender({ guard, lookup: dns.lookup }), aRequest(url))
    expect(result).toMatchObject({ errorClass: 'policy', httpStatus: null })
    expect(receiver.connections()).toBe(0)
  },
)

test('without a guard the spellings of 127.0.0.1 do reach this machine, so the table proves something', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const toOne = loopbackSpellings.filter((host) => new URL(`http://${host}`).hostname === '127.0.0.1')
  expect(toOne.length).toBeGreaterThan(25)
  const sender = aSender({ guard: null })
  for (const host of toOne) {
    expect((await responseFrom(sender, aRequest(`http://${host}:${receiver.port}/`))).httpStatus).toBe(200)
  }
})

test.each(wrongUrls)(
  'the URL %j is refused at creation, and not connected to as it is read',
  async (text) => {
    const dns = await aDnsServer()
    const receiver = await aRawReceiver(answering(ok))
    const url = text.replaceAll('PORT', String(receiver.port))
    await expect(checkWith(dns)(url)).rejects.toMatchObject(rejected)
    if (!URL.canParse(url)) return
    const result = await failureFrom(aSender({ guard, lookup: dns.lookup }), aRequest(url))
    expect(['policy', 'dns']).toContain(result.errorClass)
    expect(receiver.connections()).toBe(0)
  },
)

test.each(nameCases)('a name $what is not connected to', async ({ answers, creation }) => {
  const dns = await aDnsServer()
  const receiver = await aRawReceiver(answering(ok))
  dns.answer('hook.test', ...answers)
  const url = `http://hook.test:${receiver.port}/`
  const check = checkWith(dns)(url)
  if (creation === 'refused') {
    await expect(check).rejects.toMatchObject({
      ...rejected,
      message: expect.stringContaining('hook.test resolves to a refused address'),
    })
  } else {
    await expect(check).resolves.toBeInstanceOf(URL)
  }
  expect(dns.asked('hook.test')).toBe(1)
  const result = await failureFrom(aSender({ guard, lookup: dns.lookup }), aRequest(url))
  expect(result).toMatchObject({ errorClass: 'policy', mayChange: true, httpStatus: null })
  expect(dns.asked('hook.test')).toBe(2)
  expect(receiver.connections()).toBe(0)
})

test('a name that answers otherwise each time is connected to where it was checked, and asked once', async () => {
  const dns = await aDnsServer()
  const receiver = await aRawReceiver(answering(ok))
  const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.1/32'] })
  dns.answer('rebind.test', ['127.0.0.1'], ['127.0.0.2'], ['10.0.0.1'])
  const sender = aSender({ guard: policy, lookup: dns.lookup })
  const result = await responseFrom(sender, aRequest(`http://rebind.test:${receiver.port}/`))
  expect(result.httpStatus).toBe(200)
  expect(dns.asked('rebind.test')).toBe(1)
})

test('a name that turned inside is refused as soon as its answer is asked for again, and served again when it turned back', async () => {
  const dns = await aDnsServer()
  const once = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'
  const receiver = await aRawReceiver(answering(once))
  const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.1/32'] })
  dns.answer('rebind.test', ['127.0.0.1'], ['127.0.0.1', '10.0.0.1'], ['127.0.0.1'])
  let now = 0
  const moved = { now: () => now, elapsed: () => now, schedule: () => () => {} }
  const sender = aSender({ guard: policy, lookup: dns.lookup, clock: moved })
  const request = aRequest(`http://rebind.test:${receiver.port}/`)
  const ask = async () => {
    const result = await sender.attempt(request)
    await receiver.allClosed()
    now += 60_000
    return result.kind === 'response' ? result.httpStatus : result.errorClass
  }
  expect([await ask(), await ask(), await ask()]).toEqual([200, 'policy', 200])
  expect(receiver.connections()).toBe(2)
})

test('of many public answers behind a chain of CNAMEs all are checked, and the name passes', async () => {
  const dns = await aDnsServer()
  const addresses = Array.from({ length: 40 }, (_, at) => `8.8.${at}.8`)
  dns.answer('hook.test', { chain: ['a.test', 'b.test', 'c.test'], addresses })
  expect((await dns.lookup('hook.test')).length).toBe(40)
  expect((await checkWith(dns)('https://hook.test/')).hostname).toBe('hook.test')
})

test.each([
  [
    'denyNetworks',
    { denyNetworks: ['8.8.8.0/24'] },
    ['8.8.8.8'],
    /8\.8\.8\.8 is denied by --deny-network 8\.8\.8\.0\/24/,
  ],
  [
    'denyNetworks of one address',
    { denyNetworks: ['8.8.8.8'] },
    ['8.8.4.4', '8.8.8.8'],
    /--deny-network 8\.8\.8\.8\/32/,
  ],
  [
    'denyNetworks of IPv6',
    { denyNetworks: ['2606:4700::/32'] },
    ['2606:4700::1'],
    /--deny-network 2606:4700::\/32/,
  ],
  ['all of IPv6', { denyNetworks: ['::/0'] }, ['8.8.8.8', '2606:4700::1'], /--deny-network ::\/0/],
  [
    'a range inside one that is allowed',
    { allowNetworks: ['127.0.0.0/8'], denyNetworks: ['127.0.0.1'] },
    ['127.0.0.1'],
    /--deny-network 127\.0\.0\.1\/32/,
  ],
  [
    'a range around one that is allowed',
    { allowNetworks: ['127.0.0.1'], denyNetworks: ['127.0.0.0/8'] },
    ['127.0.0.1'],
    /--deny-network 127\.0\.0\.0\/8/,
  ],
  [
    'the very range that is allowed, in its mapped form',
    { allowNetworks: ['127.0.0.1'], denyNetworks: ['::ffff:127.0.0.1'] },
    ['127.0.0.1'],
    /--deny-network 127\.0\.0\.1\/32/,
  ],
  [
    'what lies behind a gateway that is allowed',
    { allowNetworks: ['64:ff9b::/96'], denyNetworks: ['8.8.8.8'] },
    ['64:ff9b::808:808'],
    /64:ff9b::808:808 is denied by --deny-network 8\.8\.8\.8\/32/,
  ],
  [
    'an address of a host that is allowed',
    { allowHosts: ['hook.test'], denyNetworks: ['127.0.0.1'] },
    ['127.0.0.1'],
    /--deny-network 127\.0\.0\.1\/32/,
  ],
  ['denyHosts', { denyHosts: ['hook.test'] }, ['8.8.8.8'], /hook\.test is denied by --deny-host hook\.test/],
  ['a domain above the host', { denyHosts: ['TEST.'] }, ['8.8.8.8'], /--deny-host test/],
  [
    'a host that is allowed too',
    { allowHosts: ['hook.test'], denyHosts: ['hook.test'] },
    ['127.0.0.1'],
    /--deny-host hook\.test/,
  ],
] as const)(
  'denied is %s, at creation and at the dial, whatever is allowed',
  async (_what, options, addresses, reason) => {
    const dns = await aDnsServer()
    const receiver = await aRawReceiver(answering(ok))
    const policy = createAddressPolicy({ allowHttp: true, ...options })
    dns.answer('hook.test', addresses)
    const url = `http://hook.test:${receiver.port}/`
    const message = expect.stringMatching(reason)
    await expect(checkWith(dns, policy)(url)).rejects.toMatchObject({ ...rejected, message })
    const result = await failureFrom(aSender({ guard: policy, lookup: dns.lookup }), aRequest(url))
    expect(result).toMatchObject({ errorClass: 'policy', error: message })
    expect(receiver.connections()).toBe(0)
  },
)

test('a denied literal address is refused without a look-up', async () => {
  const dns = await aDnsServer()
  const policy = createAddressPolicy({ denyNetworks: ['8.8.8.8', '2606:4700::/32'] })
  for (const host of ['8.8.8.8', '0x08080808', '[::ffff:8.8.8.8]', '[2606:4700::1]']) {
    await expect(checkWith(dns, policy)(`https://${host}/`)).rejects.toMatchObject(rejected)
  }
})

test.each(['hook.test', 'HOOK.test.', 'deep.below.hook.test', 'xn--bcher-kva.hook.test', 'bücher.hook.test'])(
  'the allowed host hook.test opens %s, whatever range its addresses are of',
  async (host) => {
    const dns = await aDnsServer()
    const receiver = await aRawReceiver(answering(ok))
    const policy = createAddressPolicy({ allowHttp: true, allowHosts: ['Hook.Test'] })
    const url = `http://${host}:${receiver.port}/`
    dns.answer(new URL(url).hostname.replace(/\.$/, ''), ['127.0.0.1'])
    await expect(checkWith(dns, policy)(url)).resolves.toBeInstanceOf(URL)
    const result = await responseFrom(aSender({ guard: policy, lookup: dns.lookup }), aRequest(url))
    expect(result.httpStatus).toBe(200)
  },
)

test.each(['evilhook.test', 'hook.test.evil.test', 'test', 'hook-test', '127.0.0.1', 'localhost'])(
  'the allowed host hook.test does not open %s',
  async (host) => {
    const dns = await aDnsServer()
    const receiver = await aRawReceiver(answering(ok))
    const policy = createAddressPolicy({ allowHttp: true, allowHosts: ['hook.test'] })
    dns.answer(host, ['127.0.0.1'])
    const url = `http://${host}:${receiver.port}/`
    await expect(checkWith(dns, policy)(url)).rejects.toMatchObject(rejected)
    const result = await failureFrom(aSender({ guard: policy, lookup: dns.lookup }), aRequest(url))
    expect(result.errorClass).toBe('policy')
    expect(receiver.connections()).toBe(0)
  },
)

test('localhost can be allowed and denied as any host', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const url = `http://localhost:${receiver.port}/`
  const dns = await aDnsServer()
  const allowed = createAddressPolicy({ allowHttp: true, allowHosts: ['localhost'] })
  await expect(checkWith(dns, allowed)(url)).resolves.toBeInstanceOf(URL)
  expect((await responseFrom(aSender({ guard: allowed }), aRequest(url))).httpStatus).toBe(200)
  const denied = createAddressPolicy({
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8', '::1'],
    denyHosts: ['localhost'],
  })
  await expect(checkWith(dns, denied)(url)).rejects.toMatchObject(rejected)
})

test.each([
  '',
  ' ',
  '127.0.0.1',
  '::1',
  '[::1]',
  '*.example.com',
  '.example.com',
  'a b',
  'https://a.test',
  'a.test/x',
  'a.test:80',
  'a@b.test',
  'a..b',
])('%j is no host to allow or deny', (host) => {
  for (const options of [{ allowHosts: [host] }, { denyHosts: [host] }]) {
    expect(() => createAddressPolicy(options)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining('is not a host') }),
    )
  }
})
