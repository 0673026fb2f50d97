/** What tests of the API that run on both stores need: two servers on one store, where a store can have two. */
import type { TestServer } from '../a-server.ts'

export interface ApiScene {
  readonly one: TestServer
  /** On SQLite the same as `one`. */
  readonly two: TestServer
}

/** Opened once per file. */
export type OpenScene = () => ApiScene

let made = 0

/** A name that no other test has. */
export function aName(what: string): string {
  made += 1
  return `${what}-${made}`
}

/** Each kind of object that can be configured: how one is made, shown and changed. */
export interface Kind {
  readonly kind: string
  readonly collection: string
  make(server: TestServer): Promise<{ readonly id: string; readonly version: string }>
  /** Two changes that differ; null: it cannot be changed, only deleted. */
  readonly changes: readonly [object, object] | null
  /** Of a successful DELETE. */
  readonly deleted: number
}

async function post(server: TestServer, path: string, body: object) {
  const { json, status } = await server.call('POST', path, { body })
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(json)}`)
  return json
}

export const anEndpointBody = { url: 'https://127.0.0.1/hook', topics: ['orders.*'] }

export const kinds: readonly Kind[] = [
  {
    kind: 'endpoint',
    collection: '/v1/endpoints',
    make: (server) => post(server, '/v1/endpoints', anEndpointBody),
    changes: [{ description: 'one' }, { topics: ['two.*'] }],
    deleted: 204,
  },
  {
    kind: 'subscription',
    collection: '/v1/subscriptions',
    async make(server) {
      const { id } = await post(server, '/v1/endpoints', anEndpointBody)
      return post(server, '/v1/subscriptions', { endpoint_id: id, topic_patterns: ['a'] })
    },
    changes: [{ topic_patterns: ['one'] }, { active: false }],
    deleted: 204,
  },
  {
    kind: 'tenant',
    collection: '/v1/tenants',
    make: (server) => post(server, '/v1/tenants', { uid: aName('tenant') }),
    changes: [{ name: 'one' }, { settings: { max_endpoints: 2 } }],
    deleted: 202,
  },
  {
    kind: 'credential',
    collection: '/v1/credentials',
    make: (server) =>
      post(server, '/v1/credentials', { name: aName('credential'), kind: 'bearer', token: 'a' }),
    changes: [{ description: 'one' }, { token: 'two' }],
    deleted: 204,
  },
  {
    kind: 'event type',
    collection: '/v1/event-types',
    async make(server) {
      const { name, version } = await post(server, '/v1/event-types', { name: aName('event-type') })
      return { id: name, version }
    },
    changes: [{ description: 'one' }, { deprecated: true }],
    deleted: 204,
  },
  {
    kind: 'producer key',
    collection: '/v1/keys',
    make: (server) => post(server, '/v1/keys', { name: 'shop' }),
    changes: [{ name: 'one' }, { scopes: ['two.*'] }],
    deleted: 204,
  },
  {
    kind: 'admin token',
    collection: '/v1/admin-tokens',
    async make(server) {
      const body = { role: 'viewer', label: aName('token') }
      const headers = { 'content-type': 'application/json' }
      return (await server.call('POST', '/v1/admin-tokens', { body, headers })).json
    },
    changes: null,
    deleted: 204,
  },
]
