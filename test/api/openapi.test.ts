/** What the OpenAPI document says beside its routes. The fuzz of test/slow/fuzz.test.ts holds it against the server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { errorTable } from '../../src/core/errors.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

// biome-ignore lint/suspicious/noExplicitAny: the document is looked into at will.
type Json = any

const document: Json = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/reference/openapi.json'), 'utf8'),
)
const { schemas, responses, securitySchemes } = document.components
const newSecret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

const operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    operation,
  })),
)

describe.each(operations)('$name', ({ path, operation }) => {
  const statuses = Object.keys(operation.responses).map(Number)
  const isForAll =
    JSON.stringify(operation.security) ===
    '[{"producerKey":[]},{"adminToken":["viewer"]},{"portalLink":["view"]}]'
  const isOpen = operation.security.length === 0

  test('lists its real statuses and no default, each problem in the same shape', () => {
    expect(operation.responses).not.toHaveProperty('default')
    expect(statuses).toEqual(expect.arrayContaining([400, 415, 500, 503]))
    expect(statuses.includes(401)).toBe(!isOpen)
    expect(statuses.includes(403)).toBe(!isOpen && !isForAll)
    expect(statuses.includes(413)).toBe(operation.requestBody !== undefined)
    if (path.includes('{')) expect(statuses).toEqual(expect.arrayContaining([404, 414]))
    for (const status of statuses.filter((one) => one >= 400)) {
      const response = responses[operation.responses[status].$ref.split('/').at(-1)]
      const [type] = Object.keys(response.content)
      expect(type).toBe('application/problem+json')
      const example = Object.values<Json>(response.content[type as string].examples)[0].value
      expect(example).toMatchObject({ status, type: `/docs/errors/${example.code}` })
      expect(errorTable).toHaveProperty(example.code)
    }
  })

  test('names what it is for, its tag, and credentials that are described', () => {
    expect(operation.summary.length).toBeGreaterThan(10)
    expect(document.tags.map(({ name }: Json) => name)).toContain(operation.tags[0])
    for (const scheme of operation.security.flatMap(Object.keys))
      expect(securitySchemes).toHaveProperty(scheme)
  })
})

test('servers, tags, headers of answers and examples of bodies are described', () => {
  expect(document.servers).toEqual([{ url: '/', description: expect.any(String) }])
  for (const { description } of document.tags) expect(description.length).toBeGreaterThan(10)
  const { paths } = document
  expect(paths['/v1/events'].post.responses[202].headers).toHaveProperty('Idempotent-Replay')
  expect(paths['/v1/keys'].post.responses[201].headers).toHaveProperty('Cache-Control')
  expect(paths['/v1/endpoints'].post.responses[201].headers).toHaveProperty('Cache-Control')
  expect(responses.Unauthorized.headers).toHaveProperty('WWW-Authenticate')
  expect(responses.ServiceUnavailable.headers['Retry-After'].schema).toMatchObject({
    minimum: 1,
    maximum: 10,
  })
  for (const path of ['/v1/events', '/v1/events/batch', '/v1/endpoints', '/v1/subscriptions', '/v1/keys']) {
    const { example, examples } = paths[path].post.requestBody.content['application/json']
    expect(example ?? examples).toBeDefined()
  }
})

/** A body, the schema's member, and a value that is just within its limit and one beyond. */
const limits: readonly [string, string, string, unknown, unknown][] = [
  ['PublishEvent', 'topic', 'maxLength', 'x'.repeat(255), 'x'.repeat(256)],
  ['PublishEvent', 'topic', 'pattern', 'a.b', 'a.*'],
  ['PublishEvent', 'idempotency_key', 'maxLength', 'x'.repeat(255), 'x'.repeat(256)],
  ['PublishEvent', 'idempotency_key', 'minLength', 'x', ''],
  ['PublishEvent', 'ordering_key', 'maxLength', 'x'.repeat(256), 'x'.repeat(257)],
  ['EndpointCreate', 'uid', 'maxLength', '😀'.repeat(255), '😀'.repeat(256)],
  ['EndpointCreate', 'uid', 'pattern', 'a b', 'a\nb'],
  ['EndpointCreate', 'description', 'maxLength', '😀'.repeat(1000), '😀'.repeat(1001)],
  ['EndpointCreate', 'max_in_flight', 'maximum', 1000, 1001],
  ['EndpointCreate', 'signing_schemes', 'minItems', ['none'], []],
  ['EndpointCreate', 'signing_schemes', 'uniqueItems', ['standard'], ['standard', 'standard']],
  ['EndpointCreate', 'topics', 'maxItems', Array(100).fill('a'), Array(101).fill('a')],
  ['EndpointCreate', 'topics', 'minItems', ['a'], []],
  ['EndpointCreate', 'secret', 'pattern', `whsec_${'A'.repeat(32)}`, `whsec_${'A'.repeat(28)}`],
  ['KeyCreate', 'name', 'maxLength', '😀'.repeat(200), '😀'.repeat(201)],
  ['KeyCreate', 'name', 'pattern', ' a', '  '],
]

describe('a limit of a schema is the one that is enforced', () => {
  test.each(
    limits.map(([schema, member, keyword, within, beyond]) => ({ schema, member, keyword, within, beyond })),
  )('$schema.$member.$keyword', async ({ schema, member, keyword, within, beyond }) => {
    expect(schemas[schema].properties[member]).toHaveProperty(keyword)
    const server = await aServer({ config: { allowNetworks: ['127.0.0.0/8'] } })
    const { path, base } = bodies[schema as keyof typeof bodies]
    const send = (value: unknown) => server.call('POST', path, { body: { ...base, [member]: value } })
    expect((await send(within)).status).toBeLessThan(300)
    const { status, text, headers } = await send(beyond)
    expect([400, 422]).toContain(status)
    expectProblem({ status, text, headers }, { status })
  })
})

const bodies = {
  PublishEvent: { path: '/v1/events', base: { topic: 'a', payload: 1 } },
  EndpointCreate: { path: '/v1/endpoints', base: { url: 'https://127.0.0.1/' } },
  KeyCreate: { path: '/v1/keys', base: { name: 'a' } },
}

test.each([
  ['a host with a character that no name has', { url: 'https://*.example.com/' }, 'is no name'],
  [
    'a filter without the topics that it is for',
    { url: 'https://127.0.0.1/', filter: { a: 1 } },
    'together with topics',
  ],
])('%s is refused as the schema says', async (_what, body, detail) => {
  const server = await aServer({ config: { allowNetworks: ['127.0.0.0/8'] } })
  expectProblem(await server.call('POST', '/v1/endpoints', { body }), { status: 422, detail })
  const { properties, dependentRequired } = schemas.EndpointCreate
  const isAllowed = new RegExp(properties.url.pattern).test(body.url) && !('filter' in body)
  expect([isAllowed, dependentRequired]).toEqual([false, { filter: ['topics'] }])
})

test.each([
  ['/v1/endpoints', 'EndpointCreate', { url: 'https://127.0.0.1/', secret: newSecret, key_type: 'hmac' }],
  ['/v1/endpoints/:id/rotate-secret', 'RotateSecret', { secret: newSecret, key_type: 'ed25519' }],
  ['/v1/dlq/replay', 'ReplayMany', {}],
  ['/v1/dlq/replay', 'ReplayMany', { all: false, dry_run: true }],
  ['/v1/deliveries/cancel', 'CancelMany', { rate: 1 }],
  ['/v1/deliveries/cancel', 'CancelMany', { all: false }],
  ['/v1/credentials/:credential', 'CredentialChange', { certificate: '-----BEGIN CERTIFICATE-----' }],
  ['/v1/credentials/:credential', 'CredentialChange', { private_key: '-----BEGIN PRIVATE KEY-----' }],
] as const)(
  'what %s refuses because of several members together, the document forbids: %s %j',
  async (path, name, body) => {
    const server = await aServer({ config: { allowNetworks: ['127.0.0.0/8'] } })
    const { id } = (await server.call('POST', '/v1/endpoints', { body: { url: 'https://127.0.0.1/' } })).json
    const made = { name: 'partner', kind: 'bearer', token: 'partner-token' }
    const { id: credential } = (await server.call('POST', '/v1/credentials', { body: made })).json
    const method = path.endsWith(':credential') ? 'PATCH' : 'POST'
    const place = path.replace(':id', id).replace(':credential', credential)
    const { status } = await server.call(method, place, { body })
    expect(status === 400 || status === 422, String(status)).toBe(true)
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'openapi', components: document.components })
    expect(ajv.validate({ $ref: `openapi#/components/schemas/${name}` }, body)).toBe(false)
  },
)

test('durations of at most 7 and 30 days are the pattern’s and the server’s', async () => {
  const server = await aServer({ config: { allowNetworks: ['127.0.0.0/8'] } })
  const url = 'https://127.0.0.1/'
  const { id } = (await server.call('POST', '/v1/endpoints', { body: { url } })).json
  const grace = new RegExp(schemas.RotateSecret.properties.grace.pattern)
  const byList = schemas.RetryPolicy.anyOf.find((form: { properties?: object }) => {
    return form.properties !== undefined && 'delays' in form.properties
  })
  const delay = new RegExp(byList.properties.delays.items.pattern)
  for (const text of [
    '0',
    '500ms',
    '720h',
    '721h',
    '30d',
    '31d',
    '2592000s',
    '2592001s',
    '2592000000',
    '1.5s',
    '5x',
    '',
  ]) {
    const rotated = await server.call('POST', `/v1/endpoints/${id}/rotate-secret`, { body: { grace: text } })
    expect([text, rotated.status]).toEqual([text, grace.test(text) ? 200 : 422])
  }
  for (const text of [
    '0ms',
    '604800s',
    '604801s',
    '7d',
    '8d',
    '10080m',
    '10081m',
    '168h',
    '169h',
    '604800001',
  ]) {
    const body = { retry_policy: { delays: [text] }, topics: ['a'] }
    const changed = await server.call('PATCH', `/v1/endpoints/${id}`, { body })
    expect([text, changed.status]).toEqual([text, delay.test(text) ? 200 : 422])
  }
})
