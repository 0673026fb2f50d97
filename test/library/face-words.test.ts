/** Errors of the library name what a program can change, and those of the server what its operator can. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { Webhook } from '../../src/sender/index.ts'
import { aServer } from '../api/a-server.ts'
import { aDirectory } from '../delivery/an-app.ts'

async function open(options: Partial<OpenOptions> = {}) {
  const hooks = await Outhook.open({ store: 'memory:', ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

/** What only the server's command line and its JSON know. */
const foreign =
  /--[a-z]|max_in_flight|rate_limit_rps|signing_schemes|topic_patterns|retry_policy|the server|the store/

const url = 'https://example.com/hook'

test('denied addresses and hosts are refused with the options that deny them', async () => {
  const hooks = await Outhook.open({
    store: 'memory:',
    denyNetworks: ['8.8.8.0/24'],
    denyHosts: ['evil.test'],
  })
  onTestFinished(() => hooks.close())
  await expect(hooks.endpoints.create({ url: 'https://8.8.8.8/' })).rejects.toThrow(
    "8.8.8.8 is denied by denyNetworks: ['8.8.8.0/24']",
  )
  await expect(hooks.endpoints.create({ url: 'https://a.EVIL.test/' })).rejects.toThrow(
    "a.evil.test is denied by denyHosts: ['evil.test']",
  )
})

test.each<[string, (hooks: Outhook) => Promise<unknown>, string]>([
  [
    'http://',
    (hooks) => hooks.endpoints.create({ url: 'http://example.com/' }),
    'allow it with allowHttp: true',
  ],
  [
    'a private address',
    (hooks) => hooks.endpoints.create({ url: 'https://10.0.0.7/' }),
    "allow it with allowNetworks: ['10.0.0.0/8'] if",
  ],
  [
    'this machine',
    (hooks) => hooks.endpoints.create({ url: 'https://localhost/' }),
    "allow it with allowNetworks: ['127.0.0.0/8'] if",
  ],
  ['a limit', (hooks) => hooks.endpoints.create({ url, maxInFlight: 0 }), 'maxInFlight must be'],
  [
    'a content type',
    (hooks) => hooks.endpoints.create({ url, contentType: 'json' }),
    'contentType must be a media',
  ],
  [
    'two content types',
    (hooks) => hooks.endpoints.create({ url, contentType: 'a/b', headers: { 'content-type': 'a/b' } }),
    'contentType and headers["content-type"] cannot',
  ],
  [
    'a method',
    (hooks) => hooks.endpoints.create({ url, method: 'HEAD' as 'GET' }),
    'method must be one of POST',
  ],
  ['a timeout', (hooks) => hooks.endpoints.create({ url, timeout: '61s' }), 'timeout must be'],
  ['no URL', (hooks) => hooks.endpoints.create({}), 'give url: where requests go; or urls'],
  [
    'fail-over',
    (hooks) => hooks.endpoints.create({ url, failOver: 1 as never }),
    'failOver must be true or false',
  ],
  [
    'headers of a subscription',
    (hooks) =>
      hooks.subscriptions.create({
        endpointId: `ep_${'0'.repeat(26)}`,
        topicPatterns: ['a'],
        headers: { 'x-a': 'a\nb' },
      }),
    'headers["x-a"] must be visible ASCII',
  ],
  ['a rate', (hooks) => hooks.endpoints.create({ url, rateLimitRps: -1 }), 'rateLimitRps must be'],
  ['schemes', (hooks) => hooks.endpoints.create({ url, signingSchemes: [] }), 'signingSchemes must be'],
  [
    'a policy',
    (hooks) => hooks.endpoints.create({ url, topics: ['*'], retryPolicy: 'mine' }),
    'retryPolicy "mine" is no profile; profiles are standard (10 attempts over three days), hookrail (8 attempts',
  ],
  [
    'patterns of a subscription',
    (hooks) => hooks.subscriptions.create({ endpointId: 'ep_00000000000000000000000000', topicPatterns: [] }),
    'topicPatterns must be',
  ],
  [
    'the overlap of a rotation',
    (hooks) => hooks.endpoints.rotateSecret('ep_00000000000000000000000000', { graceMs: -1 }),
    'graceMs must be from 0 to 7 days in milliseconds',
  ],
  [
    'ordering keys',
    (hooks) => hooks.publish({ topic: 'a', payload: { ordering_key: 'a' }, orderingKey: 'b' }),
    'orderingKey and payload.ordering_key differ',
  ],
])('the library’s error about %s speaks of its own options', async (_, act, message) => {
  const hooks = await open()
  const error = await act(hooks).then(
    () => null,
    (reason: Error) => reason,
  )
  expect(error?.message).toContain(message)
  expect(error?.message).not.toMatch(foreign)
})

test.each<[string, (hooks: Outhook) => Promise<unknown>]>([
  ['publish', (hooks) => hooks.publish({ topic: 'a', payload: 1 })],
  ['events.list', (hooks) => hooks.events.list()],
  ['endpoints.create', (hooks) => hooks.endpoints.create({ url })],
  ['deadLetters.replay', (hooks) => hooks.deadLetters.replay('dlv_00000000000000000000000000')],
])('%s after close says that this Outhook is closed', async (_, act) => {
  for (const store of ['memory:', `sqlite:${join(aDirectory(), 'hooks.db')}`]) {
    const hooks = await open({ store })
    await hooks.close()
    await expect(act(hooks)).rejects.toThrow('this Outhook is closed; open another one')
  }
})

test('publishMany after close says so for each event', async () => {
  const hooks = await open()
  await hooks.close()
  expect(await hooks.publishMany([{ topic: 'a', payload: 1 }])).toMatchObject([
    { status: 'failed', error: { message: 'this Outhook is closed; open another one' } },
  ])
})

test.each<[string, object, RegExp]>([
  [
    'a value',
    { allowNetworks: ['everything'] },
    /^ {2}allowNetworks: \["everything"\] from the option allowNetworks/m,
  ],
  ['two that contradict', { connectTimeout: '20s' }, /^ {2}connectTimeout: is longer than totalTimeout/m],
  ['a retention', { retainEvents: '1h' }, /^ {2}retainEvents: is shorter than idempotencyTtl/m],
  ['an option of the server', { port: 80 }, /^ {2}port: no such option/m],
  ['an option that nobody knows', { anything: 1 }, /no such option; see docs\/guides\/library\.md/],
  [
    'PostgreSQL without a key',
    { store: 'postgres://127.0.0.1:9/x' },
    /give it as the option masterKey, or as OUTHOOK_MASTER_KEY/,
  ],
])('open names its options in an error about %s', async (_, options, message) => {
  await expect(Outhook.open({ store: 'memory:', ...options } as OpenOptions)).rejects.toThrow(message)
})

test('the stand-alone sender’s guard names its options', async () => {
  const webhook = new Webhook('https://10.0.0.7/', { guard: true })
  onTestFinished(() => webhook.close())
  expect((await webhook.send({})).error).toContain("allowNetworks: ['10.0.0.0/8']")
})

test('the server’s errors name flags and members of JSON', async () => {
  const server = await aServer()
  const detail = async (body: object) =>
    (await server.call('POST', '/v1/endpoints', { body })).json.detail as string
  expect(await detail({ url: 'https://10.0.0.7/' })).toContain('--allow-network 10.0.0.0/8')
  expect(await detail({ url, topics: ['*'], retry_policy: 'mine' })).toContain(
    'retry_policy "mine" is no profile',
  )
  expect(() => loadConfig({ flags: { connectTimeoutMs: '20s' } })).toThrow('connect-timeout: is longer than')
})
