/** Addresses inside addresses, and ports that are no web server's. */
import { expect, test } from 'vitest'
import { checkUrl } from '../../src/sender/address-guard.ts'
import { createAddressPolicy } from '../../src/sender/address-policy.ts'
import { aWebhook } from './a-webhook.ts'
import { aRequest, aSender, failureFrom } from './raw-receiver.ts'

const strict = createAddressPolicy()

/** A range of gateways, an address in it that leads to 10.0.0.1, and one that leads to 8.8.8.8. */
const gateways: readonly (readonly [range: string, inside: string, outside: string])[] = [
  ['64:ff9b::/96', '64:ff9b::a00:1', '64:ff9b::808:808'],
  ['64:ff9b:1::/48', '64:ff9b:1::a00:1', '64:ff9b:1::808:808'],
  ['2002::/16', '2002:a00:1::1', '2002:808:808::1'],
  ['2001::/32', '2001:0:808:808:0:0:f5ff:fffe', '2001:0:808:808:0:0:f7f7:f7f7'],
  ['2001::/32', '2001:0:a00:1:0:0:f7f7:f7f7', '2001:0:808:808:0:0:f7f7:f7f7'],
  ['::/96', '::a00:1', '::808:808'],
  ['::ffff:0:0:0/96', '::ffff:0:a00:1', '::ffff:0:808:808'],
  ['fe80::/10', 'fe80::5efe:a00:1', 'fe80::5efe:808:808'],
  ['2600::/16', '2600::200:5efe:a00:1', '2600::200:5efe:808:808'],
  ['::/0', '64:ff9b::a00:1', '64:ff9b::808:808'],
]

test.each(gateways)('%s that is allowed opens not the private address in %s', (range, inside, outside) => {
  const policy = createAddressPolicy({ allowNetworks: [range] })
  expect(strict.refuseAddress(inside)).toContain('10.0.0.1')
  expect(strict.refuseAddress(outside)).not.toBeNull()
  expect(policy.refuseAddress(inside)).toContain('that leads to')
  expect(policy.refuseAddress(outside)).toBeNull()
  const both = createAddressPolicy({ allowNetworks: [range, '10.0.0.0/8'] })
  expect(both.refuseAddress(inside)).toBeNull()
  const inner = createAddressPolicy({ allowNetworks: ['10.0.0.0/8'] })
  expect(inner.refuseAddress(inside)).not.toBeNull()
})

test.each(['168.63.129.16', '::ffff:168.63.129.16', '64:ff9b::a83f:8110'])('%s is refused', (address) => {
  expect(strict.refuseAddress(address)).not.toBeNull()
})

test('the loopback address is not one of IPv4 in disguise', () => {
  expect(createAddressPolicy({ allowNetworks: ['::1/128'] }).refuseAddress('::1')).toBeNull()
})

const refused = [7, 22, 25, 53, 110, 445, 587, 2375, 3306, 5432, 6379, 6667, 9200, 10_080, 11_211, 27_017]

test.each(refused)('port %i is refused, and named with the flag that allows it', (port) => {
  const url = `https://example.com:${port}/`
  expect(() => checkUrl(url, strict)).toThrow(`allow it with --allow-port ${port} if`)
  expect(checkUrl(url, createAddressPolicy({ allowPorts: [port] })).port).toBe(String(port))
})

const open = [
  1, 9, 80, 81, 443, 591, 3000, 4000, 5000, 5173, 7000, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9090, 9443,
]

test.each([...open, 32_768, 49_152, 65_535])('port %i is open', (port) => {
  expect(checkUrl(`https://example.com:${port}/`, strict).hostname).toBe('example.com')
})

test('a refused port is refused before each request too, and not connected to', async () => {
  const guard = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  const result = await failureFrom(aSender({ guard }), aRequest('http://127.0.0.1:6379/'))
  expect(result).toMatchObject({ errorClass: 'policy', httpStatus: null })
  expect(result.error).toContain('port 6379')
})

test('the stand-alone sender refuses ports with its guard only', async () => {
  const guard = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  const url = 'http://127.0.0.1:7/'
  expect(await aWebhook(url, { guard }).send({})).toMatchObject({ errorCode: 'policy', attempts: 1 })
  const allowed = { ...guard, allowPorts: [7] }
  for (const given of [allowed, false]) {
    const result = await aWebhook(url, { guard: given, maxRetries: 0 }).send({})
    expect(result).toMatchObject({ errorCode: 'connection' })
  }
})

test.each([0, 1.5, 65_536, Number.NaN])('%d is no port to allow', (port) => {
  expect(() => createAddressPolicy({ allowPorts: [port] })).toThrow('is not a port')
})
