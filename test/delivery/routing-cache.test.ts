import { expect, test } from 'vitest'
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { RetryPolicies } from '../../src/core/retry-policies.ts'
import { retryProfiles } from '../../src/core/retry-policy.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { defaultTenantSettings } from '../../src/core/tenant.ts'
import { RoutingCache } from '../../src/delivery/routing-cache.ts'
import type { HttpDestination } from '../../src/destinations/http/http-destination.ts'
import type { Routing } from '../../src/store/port.ts'
import { steadyTime } from '../store/steady-time.ts'
import { anEndpoint, aSubscription } from './a-dispatcher.ts'
import { aSecret } from './a-secret.ts'
import { liveTenant } from './a-tenant.ts'

const randomBytes = (size: number) => new Uint8Array(size).fill(7)

function aCache(given: Partial<Routing> = {}) {
  const secretBox = createSecretBox(new Uint8Array(32), randomBytes)
  const loads: PromiseWithResolvers<void>[] = []
  const cache = new RoutingCache({
    secretBox,
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
    load: async (tenantId) => {
      const gate = Promise.withResolvers<void>()
      const version = loads.push(gate)
      await gate.promise
      return {
        tenantId,
        tenant: liveTenant,
        version,
        endpoints: [anEndpoint('ep_a')],
        subscriptions: [],
        secrets: [],
        credentials: [],
        eventTypes: [],
        ...given,
      }
    },
  })
  return { cache, loads, secretBox }
}

test('all who ask while it loads share one load, and later ones get what is cached', async () => {
  const { cache, loads } = aCache()
  const both = Promise.all([cache.get('t'), cache.get('t')])
  loads[0]?.resolve()
  const [first, second] = await both
  expect(first.version).toBe(second.version)
  expect(cache.peek('t')?.version).toBe(1)
  await cache.get('t')
  expect(loads).toHaveLength(1)
})

test('a load that was under way when the routing changed is not kept', async () => {
  const { cache, loads } = aCache()
  const stale = cache.get('t')
  cache.invalidate('t')
  const fresh = cache.get('t')
  loads[1]?.resolve()
  await fresh
  loads[0]?.resolve()
  await stale
  expect(cache.peek('t')?.version).toBe(2)
})

test('every tenant is forgotten at once when any may have changed', async () => {
  const { cache, loads } = aCache()
  const [a, b] = [cache.get('a'), cache.get('b')]
  loads[0]?.resolve()
  await a
  cache.invalidate(null)
  loads[1]?.resolve()
  await b
  expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, undefined])
})

test('a load that failed is made again', async () => {
  const { cache, loads } = aCache()
  const failed = cache.get('t')
  loads[0]?.reject(new Error('down'))
  await expect(failed).rejects.toThrow('down')
  const again = cache.get('t')
  loads[1]?.resolve()
  expect((await again).version).toBe(2)
})

test('each subscription has its own policy, and one that is gone the default', async () => {
  const { cache, loads } = aCache({
    subscriptions: [
      aSubscription('sub_own', 'ep_a', { retryPolicy: 'dograh' }),
      aSubscription('sub_plain', 'ep_a', { retryPolicy: null }),
    ],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  const { policyOf } = await loading
  expect(policyOf('sub_own')).toEqual(retryProfiles.dograh)
  expect([policyOf('sub_plain'), policyOf('sub_gone'), policyOf(null)]).toEqual(
    Array(3).fill(retryProfiles.standard),
  )
})

test('a subscription without a policy of its own goes by its endpoint’s, before that of the tenant', async () => {
  const { cache, loads } = aCache({
    tenant: { settings: { ...defaultTenantSettings, retryPolicy: 'hookrail' }, deleted: false },
    endpoints: [anEndpoint('ep_a', { retryPolicy: 'pyfly' }), anEndpoint('ep_b')],
    subscriptions: [
      aSubscription('sub_own', 'ep_a', { retryPolicy: 'dograh' }),
      aSubscription('sub_a', 'ep_a', { retryPolicy: null }),
      aSubscription('sub_b', 'ep_b', { retryPolicy: null }),
    ],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  const { policyOf } = await loading
  expect([policyOf('sub_own', 'ep_a'), policyOf('sub_a', 'ep_a'), policyOf('sub_b', 'ep_b')]).toEqual([
    retryProfiles.dograh,
    retryProfiles.pyfly,
    retryProfiles.hookrail,
  ])
  expect([policyOf(null, 'ep_a'), policyOf('sub_gone', 'ep_a'), policyOf(null)]).toEqual([
    retryProfiles.pyfly,
    retryProfiles.pyfly,
    retryProfiles.hookrail,
  ])
})

test('only active subscriptions match', async () => {
  const { cache, loads } = aCache({
    subscriptions: [aSubscription('sub_on', 'ep_a'), aSubscription('sub_off', 'ep_a', { active: false })],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  expect((await loading).fanOut.match('orders.created').map(({ id }) => id)).toEqual(['sub_on'])
})

test('a secret signs until it expires, without another load', async () => {
  const { secretBox } = aCache()
  const sealed = secretBox.seal(`whsec_${Buffer.alloc(24, 1).toString('base64')}`, 'ep_a')
  const { cache, loads } = aCache({
    secrets: [aSecret({ id: 'new', sealed, createdAt: 1 }), aSecret({ id: 'old', sealed, expiresAt: 1000 })],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  const { destination } = (await loading).targets.get('ep_a')!
  const { parts } = destination as HttpDestination
  expect(parts.secrets(steadyTime(() => 999)).active).toHaveLength(2)
  expect(parts.secrets(steadyTime(() => 1000)).active).toHaveLength(1)
})

test('what a claim shows to be older than the store is loaded again, and nothing else', async () => {
  const { cache, loads } = aCache()
  const first = cache.get('t')
  loads[0]?.resolve()
  await first
  cache.dropOlder(
    new Map([
      ['t', 1],
      ['another', 9],
    ]),
  )
  expect(cache.peek('t')?.version).toBe(1)
  cache.dropOlder(new Map([['t', 2]]))
  expect(cache.peek('t')).toBeUndefined()
})

test('of retry policies the nearest wins: the subscription’s, its tenant’s, the server’s', async () => {
  const { cache, loads } = aCache({
    tenant: { settings: { ...defaultTenantSettings, retryPolicy: 'hookrail' }, deleted: false },
    subscriptions: [
      aSubscription('sub_own', 'ep_a', { retryPolicy: 'dograh' }),
      aSubscription('sub_plain', 'ep_a', { retryPolicy: null }),
    ],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  const { policyOf } = await loading
  expect(policyOf('sub_own')).toEqual(retryProfiles.dograh)
  expect([policyOf('sub_plain'), policyOf('sub_gone')]).toEqual([
    retryProfiles.hookrail,
    retryProfiles.hookrail,
  ])
})

test('of very many tenants only those stay that were asked for lately', async () => {
  const loaded: string[] = []
  const cache = new RoutingCache({
    secretBox: createSecretBox(new Uint8Array(32), randomBytes),
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
    maxKept: 100,
    load: async (tenantId) => {
      loaded.push(tenantId)
      return {
        tenantId,
        tenant: liveTenant,
        version: 1,
        endpoints: [],
        subscriptions: [],
        secrets: [],
        credentials: [],
        eventTypes: [],
      }
    },
  })
  const names = Array.from({ length: 1000 }, (_, index) => `t${index}`)
  for (const name of names) {
    await cache.get(name)
    cache.peek('t0')
  }
  expect(loaded).toEqual(names)
  const kept = names.filter((name) => cache.peek(name) !== undefined)
  expect(kept.length).toBeLessThanOrEqual(100)
  expect(kept).toContain('t0')
  expect(kept).toContain('t999')
  cache.invalidate('t999')
  expect(cache.peek('t999')).toBeUndefined()
  cache.invalidate(null)
  expect(names.filter((name) => cache.peek(name) !== undefined)).toEqual([])
})

test('a tenant that is larger than all that may be kept is kept nevertheless, alone', async () => {
  let loads = 0
  const cache = new RoutingCache({
    secretBox: createSecretBox(new Uint8Array(32), randomBytes),
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
    maxKept: 4,
    load: async (tenantId) => {
      loads++
      const endpoints = Array.from({ length: 10 }, (_, index) => anEndpoint(`ep_${index}`))
      return {
        tenantId,
        tenant: liveTenant,
        version: 1,
        endpoints,
        subscriptions: [],
        secrets: [],
        credentials: [],
        eventTypes: [],
      }
    },
  })
  for (let times = 0; times < 10; times++) await cache.get('large')
  expect(loads).toBe(1)
})

test('a delivery’s headers are those of its endpoint with those of its subscription over them', async () => {
  const { cache, loads } = aCache({
    endpoints: [anEndpoint('ep_a', { headers: { 'x-a': 'e', 'x-b': 'e' }, contentType: 'a/b' })],
    subscriptions: [
      aSubscription('sub_1', 'ep_a', { headers: { 'x-b': 's', 'content-type': 'c/d' } }),
      aSubscription('sub_2', 'ep_a', { headers: { 'x-b': 't' }, active: false }),
      aSubscription('sub_3', 'ep_a'),
    ],
  })
  const loading = cache.get('t')
  loads[0]?.resolve()
  const routing = await loading
  const headersFor = (subscriptionId: string) => {
    const destination = routing.targetOf(subscriptionId, 'ep_a')?.destination
    return (destination as HttpDestination).parts.headers
  }
  expect(headersFor('sub_1')).toEqual({ 'content-type': 'c/d', 'x-a': 'e', 'x-b': 's' })
  expect(headersFor('sub_2')).toEqual({ 'content-type': 'a/b', 'x-a': 'e', 'x-b': 't' })
  for (const plain of ['sub_3', 'sub_4', null])
    expect(routing.targetOf(plain, 'ep_a')).toBe(routing.targets.get('ep_a'))
  expect(routing.targetOf('sub_3', 'ep_b')).toBeUndefined()
})
