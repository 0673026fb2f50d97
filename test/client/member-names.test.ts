/** Members are in camel case in the client and in snake case in JSON, but for what the caller made. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { camelMember, createShapes } from '../../scripts/client-names.mjs'
import { createClient } from '../../src/client/index.ts'
import { toCamelCase, toSnakeCase } from '../../src/client/member-names.ts'
import { camelOf, namedValue, type Schema, type Schemas } from './named-values.ts'

const root = resolve(import.meta.dirname, '../..')
const document = JSON.parse(readFileSync(join(root, 'docs/reference/openapi.json'), 'utf8'))
const schemas = document.components.schemas as Schemas

test.each(Object.keys(schemas))(
  '%s has names in camel case, and its JSON again on the way back, whatever the caller’s names are',
  (name) => {
    fc.assert(
      fc.property(namedValue({ $ref: name }, schemas), ({ wire, camel }) => {
        expect(JSON.stringify(toCamelCase(JSON.parse(wire), name))).toBe(camel)
        expect(JSON.stringify(toSnakeCase(JSON.parse(camel), name))).toBe(wire)
      }),
      { numRuns: 40 },
    )
  },
)

interface Operation {
  readonly tags: readonly string[]
  readonly operationId: string
  readonly parameters?: readonly { in: string; name: string; schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

type Method = (...args: unknown[]) => Promise<unknown>

const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    // The answer of the stream does not end, and it has a test of its own.
    .filter(([, { tags }]) => !tags.includes('operations') && !tags.includes('stream'))
    .map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
)

/** A client whose server gives this answer, and what it was asked. */
function answering(answer: string, status = 200) {
  const asked: { route: string; query: URLSearchParams; body: string | null }[] = []
  const client = createClient({
    url: 'http://a.example',
    retry: { maxRetries: 0 },
    fetch: async (input, init) => {
      const { pathname, searchParams } = new URL(String(input))
      const body = init?.body ? new TextDecoder().decode(init.body as Uint8Array) : null
      asked.push({ route: `${init?.method} ${pathname}`, query: searchParams, body })
      return new Response(answer, { status })
    },
  })
  return { client, asked }
}

/** By its route, with `x` for each id. */
async function methodsByRoute(answer: string, status: number) {
  const { client, asked } = answering(answer, status)
  const found = new Map<string, Method>()
  for (const resource of Object.values(client)) {
    if (typeof resource !== 'object') continue
    for (const method of Object.values(resource as Record<string, Method>)) {
      await method('x', 'x')
      found.set(asked.at(-1)?.route ?? '', method)
    }
  }
  return { asked, found }
}

describe('each call of the client', () => {
  test.each(operations)('$route takes and gives members in camel case', async ({ route, operation }) => {
    const body = operation.requestBody?.content['application/json']?.schema
    const query = (operation.parameters ?? []).filter((one) => one.in === 'query' && one.name !== 'tenant')
    const answers = Object.entries(operation.responses).flatMap(([status, { content }]) => {
      const schema = content?.['application/json']?.schema
      return /^2/.test(status) && schema !== undefined && schema.type !== 'null'
        ? [{ status: Number(status), schema }]
        : []
    })
    const answer =
      answers.length === 0
        ? fc.constant(null)
        : fc.oneof(
            ...answers.map(({ status, schema }) =>
              namedValue(schema, schemas).map((value) => ({ ...value, status })),
            ),
          )
    await fc.assert(
      fc.asyncProperty(
        answer,
        body === undefined ? fc.constant(null) : namedValue(body, schemas),
        async (given, sent) => {
          const { found, asked } = await methodsByRoute(given?.wire ?? '{}', given?.status ?? 200)
          const method = found.get(route.replace(/\{\w+\}/g, 'x'))
          const args: unknown[] = (route.match(/\{/g) ?? []).map(() => 'x')
          if (sent !== null) args.push(JSON.parse(sent.camel))
          if (query.length > 0) args.push(Object.fromEntries(query.map(({ name }) => [camelOf(name), 'a_b'])))
          const result = await method?.(...args)
          const request = asked.at(-1)
          if (sent !== null) expect(request?.body).toBe(sent.wire)
          expect([...(request?.query.keys() ?? [])]).toEqual(query.map(({ name }) => name))
          if (given !== null && !(result instanceof Uint8Array))
            expect(JSON.stringify(result)).toBe(given.camel)
        },
      ),
      { numRuns: 10 },
    )
  })
})

test('a route without a method has the names of the API’s JSON both ways', async () => {
  const { client, asked } = answering('{"new_member":{"a_b":1}}')
  const answer = await client.request('POST', '/v1/new-things', {
    query: { since_when: 'x', aB: 1 },
    body: { other_member: { aB: 1 } },
  })
  expect(answer).toEqual({ new_member: { a_b: 1 } })
  expect(asked.map(({ query, body }) => [String(query), body])).toEqual([
    ['since_when=x&aB=1', '{"other_member":{"aB":1}}'],
  ])
})

test('a member that this client does not know yet, of a newer server, is in camel case too', async () => {
  const { client } = answering('{"id":"ep_1","headers":{"x_a":"1"},"new_things":[{"new_name":"a_b"}]}')
  expect(await client.endpoints.get('ep_1')).toEqual({
    id: 'ep_1',
    headers: { x_a: '1' },
    newThings: [{ newName: 'a_b' }],
  })
})

test('members with names of what every object has come and go like any others', () => {
  const wire = '{"__proto__":{"a_b":1},"constructor":{"a_b":1},"to_string":{"has_own_property":null}}'
  const camel = toCamelCase(JSON.parse(wire), 'Endpoint')
  expect(JSON.stringify(camel)).toBe(
    '{"_Proto__":{"aB":1},"constructor":{"aB":1},"toString":{"hasOwnProperty":null}}',
  )
  const back = toSnakeCase(camel, 'Endpoint')
  expect([JSON.stringify(back), Object.getPrototypeOf(back)]).toEqual([wire, Object.prototype])
})

test('what has a form of its own in JSON, such as a time, goes as that', () => {
  const time = new Date(0)
  const policy = { toJSON: () => ({ maxAttempts: 2 }) }
  expect(toSnakeCase({ expiresAt: time, retryPolicy: policy, topics: undefined })).toEqual({
    expires_at: '1970-01-01T00:00:00.000Z',
    retry_policy: { max_attempts: 2 },
    topics: undefined,
  })
})

describe('which members keep their names is read from the schemas', () => {
  const shapesOf = (own: Record<string, unknown>) => createShapes({ components: { schemas: own } })
  const record = { type: 'object', additionalProperties: { type: 'string' } }
  const named = { type: 'object', properties: { max_wait: { type: 'string' } } }
  const holding = { type: 'object', properties: { max_wait: record } }

  test('records, any values, what holds such, and a type that holds itself', () => {
    const { named: shapes } = shapesOf({
      Rule: {
        type: 'object',
        properties: { any_of: { type: 'array', items: { $ref: '#/x/Rule' } }, where: record },
      },
      Alias: { $ref: '#/x/Rule' },
      Plain: {
        type: 'object',
        properties: { a_b: { type: 'string' }, c_d: { type: 'array', items: { enum: [1] } } },
      },
      Either: { anyOf: [{ type: 'string' }, record, { type: 'null' }, {}] },
      ByName: { type: 'object', patternProperties: { '^.*$': { $ref: '#/x/Plain' } } },
      Lists: {
        type: ['array', 'null'],
        items: { type: 'object', properties: { rules: { $ref: '#/x/Rule' } } },
      },
    })
    expect(shapes).toEqual({
      Alias: 'Rule',
      ByName: { '*': {} },
      Either: true,
      Lists: { rules: 'Rule' },
      Rule: { any_of: 'Rule', where: true },
    })
  })

  test('names of the API’s under names of the caller’s change, and these do not', () => {
    const wire = '{"a_b":{"max_wait":1},"__proto__":{"max_wait":2},"aB":[{"max_wait":3}]}'
    const camel = wire.replaceAll('max_wait', 'maxWait')
    expect(JSON.stringify(toCamelCase(JSON.parse(wire), { '*': {} }))).toBe(camel)
    expect(JSON.stringify(toSnakeCase(JSON.parse(camel), { '*': {} }))).toBe(wire)
  })

  test('a member that is the API’s in one form and the caller’s in another is refused', () => {
    const union = (one: unknown, other: unknown) => () =>
      shapesOf({
        A: { type: 'object', properties: { filter: one } },
        B: { type: 'object', properties: { filter: other } },
        C: { anyOf: [{ $ref: '#/x/A' }, { $ref: '#/x/B' }] },
      })
    expect(union(record, named)).toThrow("where in another they are the caller's")
    expect(union(holding, record)).toThrow('names members')
    expect(union(holding, named)().named.C).toEqual('A')
    expect(union(record, { anyOf: [record, named] })).toThrow('names members')
    expect(union(record, record)().named.C).toEqual({ filter: true })
    expect(union(record, { type: 'string' })().named.C).toEqual('A')
  })

  test.each(['sha_256', 'a__b', 'aB', '_a', 'a_', 'x-a'])(
    'the name %s, which would not come back, is refused',
    (name) => {
      expect(() => camelMember(name)).toThrow(`the member "${name}" has no name in camel case`)
    },
  )
})
