/** What `outhook import pyfly` says of a file, before and after it talks to a server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'
import { startStubApi } from './stub-api.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'], allowHttp: true },
    closeWith: (close) => void closing.push(close),
  })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const runAt = (url: string, input: string, ...flags: string[]) =>
  runToEnd(['import', 'pyfly', '-', ...flags, '--url', url, '--token', adminToken], { input })
const run = (input: string | object, ...flags: string[]) =>
  runAt(api.url, typeof input === 'string' ? input : JSON.stringify(input), ...flags)
const tried = async (input: string | object, ...flags: string[]) => {
  const { code, out, err } = await run(input, '--json', ...flags)
  return { code, err, ...JSON.parse(out) }
}

const secret = 'planted-secret'
const aConfig = (given: object = {}, subscription: object = {}) => ({
  id: 'c',
  subscriptions: [{ event_type: 'a', target_url: 'https://127.0.0.1/hook', ...subscription }],
  secret,
  ...given,
})

describe('a file that cannot be read is refused whole, with exit code 2 and the line', () => {
  test.each([
    [
      'no JSON',
      '[\n  {"id": "c", "secret": "planted-secret" "x"\n]',
      /line 2, column 42: this does not belong here/,
    ],
    ['no YAML', '- id: c\n  secret: "planted-secret\n', /standard input, line \d+, column \d+: /],
    ['tabs in YAML', '- id: c\n\tsecret: planted-secret\n', /line 2, column 2: this does not belong here/],
    [
      'a member twice',
      '[{"id":"c",\n"secret":"planted-secret",\n"secret":"x"}]',
      /line 3.*stands there twice/,
    ],
    ['text alone', '"planted-secret"', /line 1: the file must be an object/],
    ['nothing', '', /must be an object/],
    ['no configs', '{"pyfly":{}}', /line 1: configs is missing/],
    [
      'a name that is nearly one',
      '[{"id":"c",\n"secrets":"planted-secret"}]',
      /line 2: \[0\]\.secrets is not known; did you mean secret\?/,
    ],
    ['no id', '- name: x\n  subscriptions: []\n', /line 1: \[0\]\.id is missing/],
    ['the same id twice', '- id: c\n- id: c\n', /line 2: \[1\]\.id is the id of \[0\] too/],
    [
      'a secret that is a number',
      '- id: c\n  secret: 12345678\n',
      /line 2: \[0\]\.secret must be text; write it in quotes/,
    ],
    ['a flag of another kind', '- id: c\n  enabled: yes\n', /\[0\]\.enabled must be true or false/],
    [
      'attempts below none',
      '- id: c\n  max_attempts: -1\n',
      /\[0\]\.max_attempts must be a whole number from 0/,
    ],
    [
      'a subscription without a URL',
      'configs:\n- id: c\n  subscriptions:\n  - event_type: a\n',
      /line 4: configs\[0\]\.subscriptions\[0\]\.target_url is missing/,
    ],
    [
      'a header that is no text',
      '- id: c\n  subscriptions:\n  - event_type: a\n    target_url: https://a.example\n    headers: {X-A: 1}\n',
      /line 5: \[0\]\.subscriptions\[0\]\.headers\.X-A must be text/,
    ],
    [
      'a setting of another kind',
      'configs: []\npyfly:\n  callbacks:\n    http:\n      timeout: soon\n',
      /line 5: pyfly\.callbacks\.http\.timeout must be a number of seconds/,
    ],
  ])('%s', async (_, text, message) => {
    const { code, err, out } = await run(text)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(message)
    expect(err).not.toContain(secret)
  })

  test('all mistakes are named at once, and nothing is made', async () => {
    const { err } = await run([aConfig({ id: 'first', enabled: 1 }), aConfig({ id: 'd', max_attempts: 'x' })])
    expect(err).toContain('has 2 mistakes; nothing was imported')
    expect((await api.call('GET', '/v1/endpoints')).json.items).toEqual([])
  })

  test('a file that is not there', async () => {
    const { code, err } = await runToEnd(['import', 'pyfly', 'no-such-file.json', '--url', api.url])
    expect([code, err]).toEqual([2, expect.stringContaining('cannot read no-such-file.json')])
  })
})

describe('what cannot be carried over is named with what to do', () => {
  test.each([
    ['a secret that cannot be kept', aConfig({ secret: 'short' }), 1, '[0].secret', /8 to 256 visible ASCII/],
    [
      'a URL that is none',
      aConfig({}, { target_url: 'hook' }),
      1,
      '[0].subscriptions[0].target_url',
      /is no URL/,
    ],
    [
      'an event type with a space',
      aConfig({}, { event_type: 'a b' }),
      1,
      '[0].subscriptions[0].event_type',
      /spaces/,
    ],
    [
      'an event type with a *',
      aConfig({}, { event_type: 'a.*' }),
      0,
      '[0].subscriptions[0].event_type',
      /for a letter/,
    ],
    [
      'a topic of Outhook’s own',
      aConfig({}, { event_type: 'endpoint.disabled' }),
      1,
      '[0].subscriptions[0].event_type',
      /Outhook’s own/,
    ],
    [
      'two secrets among the headers',
      aConfig({}, { headers: { Authorization: 'Bearer planted-secret', 'X-Api-Key': 'planted-secret' } }),
      1,
      '[0].subscriptions[0]',
      /has 2 secrets \(authorization, x-api-key\)/,
    ],
    [
      'a header that the sender sets',
      aConfig({}, { headers: { 'Outhook-Topic': 'x' } }),
      0,
      '[0].subscriptions[0].headers.Outhook-Topic',
      /is set by the sender itself/,
    ],
    [
      'a signature of its own',
      aConfig({}, { headers: { 'X-Pyfly-Signature': 'x' } }),
      0,
      '[0].subscriptions[0].headers.X-Pyfly-Signature',
      /is replaced by the signature/,
    ],
    [
      'a header that is not ASCII',
      aConfig({}, { headers: { 'X-Name': 'José' } }),
      0,
      '[0].subscriptions[0].headers.X-Name',
      /visible ASCII/,
    ],
    [
      'more attempts than there can be',
      aConfig({ max_attempts: 500 }),
      0,
      '[0].max_attempts',
      /more than 100/,
    ],
    ['no attempts', aConfig({ max_attempts: 0 }), 0, '[0].max_attempts', /not active/],
    [
      'a host beyond its domains',
      aConfig({ authorized_domains: [{ domain: 'b.test' }] }),
      0,
      '[0].subscriptions[0].target_url',
      /does not call it either/,
    ],
    ['a member of a program’s own', aConfig({ colour: 'red' }), 0, '[0].colour', /no member that pyfly’s/],
    [
      'the description of a domain',
      aConfig({ authorized_domains: [{ domain: '127.0.0.1', description: 'ours' }] }),
      0,
      '[0].authorized_domains[0]',
      /has a description/,
    ],
  ])('%s', async (_, config, code, path, problem) => {
    const found = await tried([config], '--dry-run')
    expect(found.code).toBe(code)
    expect(found.not_carried_over).toContainEqual({
      line: 1,
      path,
      problem: expect.stringMatching(problem),
      advice: expect.any(String),
      is_loss: code === 1,
    })
    expect(JSON.stringify(found)).not.toContain(secret)
  })

  test('S4.16 settings of all callbacks are those of each endpoint, and callbacks that were switched off are not active', async () => {
    const text = `configs:\n- {id: off, subscriptions: [{event_type: a, target_url: https://127.0.0.1/off}]}\npyfly:\n  callbacks:\n    enabled: false\n    http:\n      timeout: 20\n      circuit_breaker: {failure_threshold: 3, recovery_timeout: 1m}\n`
    const { code, not_carried_over: named } = await tried(text)
    expect(code).toBe(0)
    expect(named.map(({ line, advice }: { line: number; advice: string }) => [line, advice])).toEqual([
      [5, expect.stringContaining('outhook subscriptions enable')],
    ])
    const made = (await api.call('GET', '/v1/endpoints')).json.items
    expect(made).toMatchObject([{ timeout: '20s', breaker_threshold: 3, breaker_pause: '1m' }])
    const { items } = (await api.call('GET', '/v1/subscriptions')).json
    expect(items).toMatchObject([{ topic_patterns: ['a'], active: false }])
  })

  test('executions that pyfly left pending', async () => {
    const executions = [{ status: 'PENDING' }, { status: 'DELIVERED' }]
    const { not_carried_over: named } = await tried({ configs: [], executions }, '--dry-run')
    expect(named).toMatchObject([
      { path: 'executions', problem: expect.stringContaining('1 execution PENDING') },
    ])
  })

  test('what the server refuses is named with its place, and the rest is made', async () => {
    const config = {
      ...aConfig({ id: 'half', tenant_id: 'half' }),
      subscriptions: [
        { event_type: 'a', target_url: 'https://10.0.0.1/hook' },
        { event_type: 'a', target_url: 'https://127.0.0.1/made' },
      ],
    }
    const { code, err, made, not_carried_over: named } = await tried([config])
    expect([code, err]).toEqual([1, expect.stringContaining('1 thing that pyfly does is not set up')])
    expect(named).toMatchObject([
      { path: '[0].subscriptions[0]', problem: expect.stringContaining('was refused'), is_loss: true },
    ])
    expect(made.filter(({ kind }: { kind: string }) => kind === 'endpoint')).toHaveLength(1)
  })
})

test('a tenant that the server refuses is named with its config, and the other tenants are made', async () => {
  const configs = [aConfig({ id: 'bad', tenant_id: 'ten_x' }), aConfig({ id: 'good', tenant_id: 'good' })]
  const { code, made, not_carried_over: named } = await tried(configs)
  expect(code).toBe(1)
  expect(named).toMatchObject([
    { path: '[0]', problem: expect.stringContaining('was refused: uid must not') },
  ])
  expect(made.every(({ tenant }: { tenant: string }) => tenant === 'good')).toBe(true)
  expect(made).toHaveLength(3)
})

test('people get a table and the list of what is not carried over', async () => {
  const { code, out } = await run([aConfig({ id: 'shown', tenant_id: 'shown', colour: 'red' })])
  expect(code).toBe(0)
  expect(out).toMatch(/KIND +NAME +TENANT +ID +RESULT/)
  expect(out).toMatch(/endpoint +pyfly:shown:/)
  expect(out).toContain('3 created, 0 updated')
  expect(out).toContain('Not carried over as it stands (1):\n  line 1: [0].colour is no member')
  expect(out).not.toContain(secret)
})

test('YAML as pyfly’s is JSON to it: dotted names, one config alone, tags of Python', async () => {
  const text = `!!python/object:pyfly.callbacks.CallbackConfig\nid: tagged\ntenant_id: tagged\nsubscriptions:\n- !!python/object:pyfly.callbacks.CallbackSubscription\n  event_type: '*'\n  target_url: https://127.0.0.1/tagged\n`
  expect((await tried(text)).made).toHaveLength(3)
  const dotted = 'configs: []\npyfly:\n  callbacks:\n    http.timeout: 500ms\n'
  expect((await tried(dotted)).not_carried_over).toMatchObject([
    { problem: 'is none of 1s to 1m, which an endpoint may have, and becomes 1s' },
  ])
})

test('--tenant is that of configs which name none', async () => {
  await api.call('POST', '/v1/tenants', { body: { uid: 'mine' } })
  expect((await tried([aConfig({ id: 'own' })], '--tenant', 'mine')).code).toBe(0)
  const { items } = (await api.call('GET', '/v1/endpoints?tenant=mine')).json
  expect(items).toMatchObject([{ uid: expect.stringMatching(/^pyfly:own:/) }])
})

test('a change of the file is a change of what it made: URL of the credential, secret, policy, what is active', async () => {
  const headers = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
  const given = { id: 'changed', tenant_id: 'changed' }
  await tried([aConfig({ ...given, secret: null }, headers('one-token-of-some-length'))])
  const shown = async (what: string) => (await api.call('GET', `/v1/${what}?tenant=changed`)).json.items
  const [before] = await shown('endpoints')
  expect(before).toMatchObject({ signing_schemes: ['none'], retry_policy: 'pyfly' })
  const changed = { ...given, max_attempts: 2, enabled: false }
  const { code } = await tried([aConfig(changed, headers('two-token-of-some-length'))])
  expect(code).toBe(0)
  expect(await shown('endpoints')).toMatchObject([
    { id: before.id, signing_schemes: ['pyfly'], retry_policy: { max_attempts: 2, base: '5s' } },
  ])
  expect(await shown('subscriptions')).toMatchObject([{ active: false }])
  const { items } = (await api.call('GET', `/v1/endpoints/${before.id}/secrets`)).json
  expect(items).toHaveLength(1)
  const revealed = await api.call('POST', `/v1/endpoints/${before.id}/secrets/${items[0].id}/reveal`)
  expect(revealed.json.secret).toBe(secret)
  expect(await shown('credentials')).toMatchObject([
    { kind: 'bearer', secret_hint: 'ngth', authorized_hosts: ['127.0.0.1'] },
  ])
  // Another kind of secret is another credential, under the same name.
  await tried([aConfig(changed, { headers: { 'X-Api-Key': 'a-key-of-some-length' } })])
  const [now] = await shown('endpoints')
  const credentials = await shown('credentials')
  const ofIt = credentials.find(({ id }: { id: string }) => id === now.credential_id)
  expect(ofIt).toMatchObject({ kind: 'api_key', name: now.uid })
})

test('domains that would cut off what a tenant has already are not set, and how to is said', async () => {
  await api.call('POST', '/v1/tenants', { body: { uid: 'busy' } })
  const body = { urls: ['https://127.0.0.1/own', 'https://127.0.0.2/own'] }
  const { id } = (await api.call('POST', '/v1/endpoints?tenant=busy', { body })).json
  const config = aConfig({ id: 'busy', tenant_id: 'busy', authorized_domains: ['127.0.0.1'] })
  const { code, not_carried_over: named } = await tried([config])
  expect(code).toBe(1)
  expect(named).toMatchObject([
    {
      problem: expect.stringContaining(id),
      advice: 'outhook tenants update busy --authorized-domain 127.0.0.1',
    },
  ])
})

test('an import that breaks off says how far it has got, and the same command goes on', async () => {
  let answers = 0
  const stub = await startStubApi(() => {
    answers += 1
    // The first endpoint: its uid, the endpoint, its subscriptions, one of them; then nothing more.
    if (answers > 4) return { status: 503, body: { status: 503, title: 'store unavailable', detail: 'away' } }
    const page = '{"items":[],"next_cursor":""}'
    return { body: answers === 1 || answers === 3 ? page : '{"id":"ep_1"}' }
  })
  const config = {
    ...aConfig(),
    subscriptions: ['one', 'two'].map((path) => ({
      event_type: 'a',
      target_url: `https://a.example/${path}`,
    })),
  }
  const { code, err } = await runAt(stub.url, JSON.stringify([config]))
  await stub.close()
  expect(code).toBe(5)
  expect(err).toContain('1 of 2 endpoints are made; the same command goes on from there')
})
