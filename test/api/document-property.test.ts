/**
 * Each operation of the OpenAPI document with requests made from it, as admin, as viewer and as producer. `call` holds
 * each answer against the document. `OUTHOOK_TEST_SEED` makes other requests, `OUTHOOK_TEST_REQUESTS` more of them.
 */
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import document from '../../docs/reference/openapi.json' with { type: 'json' }
import { type RouteAccess, routeAccess } from '../../src/api/route-access.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { patienceMs } from '../patience.ts'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { hostileValues, type Schema, type Schemas, spoiled, valueFrom } from './document-requests.ts'
import { isTime } from './rfc3339.ts'

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content: { readonly 'application/json': { readonly schema: Schema } }
  }
}

const seed = Number(process.env.OUTHOOK_TEST_SEED ?? 1)
const numRuns = Number(process.env.OUTHOOK_TEST_REQUESTS ?? 16)
const schemas = document.components.schemas as unknown as Schemas
const ajv = new Ajv2020({ strict: false })
ajv.addFormat('date-time', isTime)
for (const name of ['uri', 'uri-reference']) ajv.addFormat(name, () => true)
ajv.addSchema({ $id: 'openapi', components: document.components })
const compile = (schema: Schema) =>
  ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')))

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    operation: operation as Operation,
  })),
)

const roles = ['admin', 'viewer', 'producer'] as const
let closeServer = async (): Promise<void> => {}
let server: TestServer
let tokens: Readonly<Record<(typeof roles)[number], string>>
/** By the word of the path that they stand behind. */
let known: Readonly<Record<string, readonly string[]>>

beforeAll(async () => {
  server = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'], allowHttp: true },
    closeWith: (close) => {
      closeServer = close
    },
  })
  const post = async (path: string, body: unknown) => (await server.call('POST', path, { body })).json
  const endpoint = await post('/v1/endpoints', { url: 'https://127.0.0.1:8443/hooks', topics: ['orders.*'] })
  const event = await post('/v1/events', { topic: 'orders.created', payload: { id: 'o_1' } })
  const { items } = (await server.call('GET', '/v1/subscriptions')).json
  const spare = await server.engine.apiKeys.create(defaultTenantId, { name: 'spare' })
  const spareToken = await post('/v1/admin-tokens', { role: 'viewer', label: 'spare' })
  const tenant = await post('/v1/tenants', { uid: 'acme' })
  const job = await post('/v1/dlq/replay', { all: true })
  known = {
    endpoints: [endpoint.id],
    subscriptions: [items[0].id],
    events: [event.id],
    deliveries: event.delivery_ids,
    dlq: event.delivery_ids,
    keys: [spare.key.id],
    'admin-tokens': [spareToken.id],
    tenants: [tenant.id, 'acme'],
    jobs: [job.id],
  }
  tokens = {
    admin: adminToken,
    viewer: (await post('/v1/admin-tokens', { role: 'viewer', label: 'fuzz' })).token,
    producer: (await server.producer()).key,
  }
})
afterAll(() => closeServer())

const unknownIds = [
  'evt_01h455vb4pex5vsknk084sn02q',
  'ep_01h455vb4pex5vsknk084sn02q',
  'x',
  '%00',
  '%',
  '%ff',
  '..;',
]
const hostileTexts = hostileValues.filter((value) => typeof value !== 'object').map(String)

/** Objects are kept out of it: there is no way to write one into a query. */
function queryOf(operation: Operation): fc.Arbitrary<Readonly<Record<string, string>>> {
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
  const parts = parameters.map(({ name, schema }): [string, fc.Arbitrary<string>] => [
    name,
    fc.oneof(
      { weight: 3, arbitrary: valueFrom(schema, schemas).map(String) },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
    ),
  ])
  return fc.record(Object.fromEntries(parts), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>
}

/** The value that the text in a query stands for, as the schema wants it. */
function readQuery(text: string, { type }: Schema): unknown {
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text.toWellFormed()
}

const notJson = ['', '{', 'null{}', '[1,]', '\ufeff{}', 'NaN', '{"a":1}}', '"\\ud800', '\u0000']

function requestOf({ path, operation }: (typeof operations)[number]) {
  const schema = operation.requestBody?.content['application/json'].schema
  const body = schema === undefined ? fc.constant(undefined) : valueFrom(schema, schemas)
  const word = path.split('/')[2] ?? ''
  return fc.record({
    role: fc.constantFrom(...roles),
    id: fc.nat().chain((place) => {
      const ids = known[word] ?? []
      return fc.constantFrom(ids[place % Math.max(1, ids.length)] ?? 'x', ...unknownIds.slice(place % 3))
    }),
    query: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: queryOf(operation) }),
    text:
      schema === undefined
        ? fc.constant(undefined)
        : fc.oneof(
            { weight: 6, arbitrary: body.map((value) => JSON.stringify(value)) },
            { weight: 8, arbitrary: spoiled(body).map((value) => JSON.stringify(value)) },
            { weight: 1, arbitrary: fc.constantFrom(...notJson) },
          ),
  })
}

/** JSON text as the server reads it; what is none is no value that a schema allows. */
function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return null
  }
}

function isLetIn(method: string, path: string, role: (typeof roles)[number]): boolean {
  const access = routeAccess[`${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`] as RouteAccess | 'open'
  if (access === 'open' || role === 'admin') return true
  if (role === 'viewer') return access.role === 'viewer'
  return access.producer === 'any' || access.producer === 'publish'
}

describe('whatever the document allows or forbids', () => {
  test.each(operations)('$name answers as it says, and takes nothing that it forbids', async (one) => {
    const { method, path, operation } = one
    const { requestBody } = operation
    const schema = requestBody?.content['application/json'].schema
    const allowsBody = schema === undefined ? () => true : compile(schema)
    const parameters = new Map((operation.parameters ?? []).map((each) => [each.name, compile(each.schema)]))
    const types = new Map((operation.parameters ?? []).map((each) => [each.name, each.schema]))
    const property = fc.asyncProperty(requestOf(one), async ({ role, id, query, text }) => {
      const search = new URLSearchParams(query).toString()
      const target = `${path.replace(/\{\w+\}/, id)}${search === '' ? '' : `?${search}`}`
      const answer = await server.call(method, target, {
        token: tokens[role],
        ...(text !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
      })
      expect(answer.status, answer.text).toBeLessThan(500)
      if (!isLetIn(method, path, role)) {
        expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
        return
      }
      const parsed = text === undefined || text === '' ? undefined : parse(text)
      const bodyAllowed =
        parsed === undefined
          ? text === undefined || requestBody?.required !== true
          : parsed !== null && allowsBody(parsed.value)
      const queryAllowed = Object.entries(query).every(([name, given]) =>
        parameters.get(name)?.(readQuery(given, types.get(name) ?? {})),
      )
      if (!bodyAllowed || !queryAllowed) expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
    })
    await fc.assert(property, { seed, numRuns, endOnFailure: false, timeout: patienceMs })
  })
})
