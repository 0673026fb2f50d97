/**
 * Whatever one adapter would grant, the other grants: random scenes, played on SQLite and on PostgreSQL at once, whose
 * claims must bring the same deliveries under the same claim versions. `OUTHOOK_TEST_SCENES=10000` plays as many.
 */

import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noHealthSettings } from '../../src/core/health-settings.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { defaultTenantSettings } from '../../src/core/tenant.ts'
import type { ClaimedDelivery, DeliveryOutcome, NewEvent } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import {
  anOutcome,
  aTransportFailure,
  breaker,
  leaseMs,
  retryIn,
  type StoreHarness,
} from './contract/scene.ts'
import { openPostgresHarness } from './postgres-harness.ts'
import { openMemoryHarness } from './sqlite-harness.ts'

const scenes = Number(process.env.OUTHOOK_TEST_SCENES ?? 150)
/**
 * Played beside each other, each on a pair of stores of its own, with these weights of its tenants: most of a scene is
 * waiting for the other database.
 */
const lanes = [
  [1, 1, 1],
  [1, 3, 1],
  [100, 7, 2],
] as const

const tenants = 3
const targetsPerTenant = 5
const targets = tenants * targetsPerTenant
/** Of each tenant's targets, in order. */
const limits = [
  { maxInFlight: 1000, rateLimitRps: null },
  { maxInFlight: 1000, rateLimitRps: null },
  { maxInFlight: 40, rateLimitRps: null },
  { maxInFlight: 3, rateLimitRps: null },
  { maxInFlight: 1000, rateLimitRps: 10 },
] as const

interface Target {
  readonly tenantId: string
  readonly endpointId: string
  readonly subscriptionId: string
  readonly rateLimitRps: number | null
}

const aClaim = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 120 })),
  startable: fc.option(fc.nat(30), { nil: undefined }),
  maxBytes: fc.oneof(fc.constant(10_000_000), fc.nat(400)),
  slots: fc.dictionary(fc.nat(targets - 1).map(String), fc.nat(3), { maxKeys: 4 }),
})
const someWork = (max: number) => fc.tuple(fc.nat(targets - 1), fc.integer({ min: 1, max }))

const aScene = fc.record({
  /** Targets with more than one claim takes of them, so that they wait for their next turn. */
  backlogs: fc.uniqueArray(fc.nat(targets - 1), { maxLength: 5 }),
  firstLimit: fc.integer({ min: 1, max: 30 }),
  outcomes: fc.array(fc.constantFrom('success', 'retry', 'unreachable', 'release', 'lost'), {
    minLength: 1,
    maxLength: 8,
  }),
  pauseMs: fc.oneof(fc.nat(50), fc.nat(60_000)),
  fresh: fc.array(fc.oneof(someWork(3), someWork(40)), { maxLength: 12 }),
  claims: fc.array(aClaim, { minLength: 1, maxLength: 3 }),
})

type Scene = typeof aScene extends fc.Arbitrary<infer S> ? S : never

/** Scenes in which the stores once differed. */
const onceDifferent = [
  // A pause that begins and ends within one batch of outcomes.
  {
    backlogs: [0],
    firstLimit: 6,
    outcomes: ['unreachable', 'unreachable', 'unreachable', 'unreachable', 'unreachable', 'success'],
    pauseMs: 0,
    fresh: [[1, 3]] as [number, number][],
    claims: [{ limit: 4, startable: undefined, maxBytes: 157, slots: {} }],
  },
  // A lease that the process still knows has been taken over: it promises no work any more.
  {
    backlogs: [4],
    firstLimit: 1,
    outcomes: ['lost'],
    pauseMs: 29_998,
    fresh: [
      [0, 1],
      [0, 1],
    ] as [number, number][],
    claims: [
      { limit: 6, startable: undefined, maxBytes: 10_000_000, slots: { '0': 0 } },
      { limit: 1, startable: undefined, maxBytes: 10_000_000, slots: {} },
      { limit: 1, startable: undefined, maxBytes: 10_000_000, slots: {} },
    ],
  },
] satisfies readonly Scene[]

/** Commits that survive a power cut are tested elsewhere; here there are thousands of them. */
async function withoutWaitingForDisks({ url, pid }: PostgresServer): Promise<void> {
  if (pid === null) return
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('alter system set fsync = off')
  await client.query('select pg_reload_conf()')
  await client.end()
}

/** Plays scenes on both stores of a pair, one after the other. */
async function aLane(server: PostgresServer, weights: readonly number[]) {
  const both = [await openMemoryHarness(), await openPostgresHarness(server)] as const
  const ids = createIdFactory(() => both[0].now())
  const tenantIds = [defaultTenantId, ids.next('ten'), ids.next('ten')]
  for (const { store } of both) {
    for (const [index, id] of tenantIds.entries()) {
      const settings = { ...defaultTenantSettings, weight: weights[index] ?? 1 }
      if (id === defaultTenantId) await store.updateTenant(id, { settings })
      else await store.insertTenant({ id, uid: null, name: '', metadata: null, settings })
    }
  }
  const pool = await Promise.all(
    Array.from({ length: targets }, (_, index) =>
      aTarget(tenantIds[index % tenants] ?? defaultTenantId, Math.floor(index / tenants)),
    ),
  )

  async function aTarget(tenantId: string, index: number): Promise<Target> {
    const endpointId = ids.next('ep')
    const subscriptionId = ids.next('sub')
    const limit = limits[index] ?? limits[0]
    for (const { store } of both) {
      await store.insertEndpoint({
        endpoint: {
          id: endpointId,
          tenantId,
          uid: null,
          kind: 'http',
          url: 'https://receiver.example/hook',
          moreUrls: [],
          failOver: false,
          sealedUrl: null,
          settings: null,
          description: '',
          method: 'POST',
          headers: {},
          contentType: null,
          timeoutMs: null,
          signingSchemes: ['standard'],
          credentialId: null,
          clientCertificateId: null,
          retryPolicy: null,
          ...noHealthSettings,
          ...limit,
        },
        secret: { id: ids.next('sec'), sealed: Uint8Array.of(1) },
        subscription: {
          id: subscriptionId,
          tenantId,
          endpointId,
          topicPatterns: ['*'],
          filter: null,
          headers: {},
          retryPolicy: null,
          ordered: false,
          active: true,
          own: true,
        },
      })
    }
    return { tenantId, endpointId, subscriptionId, rateLimitRps: limit.rateLimitRps }
  }

  const onBoth = <T>(act: (harness: StoreHarness) => Promise<T>): Promise<readonly T[]> =>
    Promise.all(both.map(act))
  const advance = (ms: number) => onBoth((harness) => harness.advance(ms))

  /** A moment of its own, so that it is certain which ready row is the newer one. */
  async function publish(index: number, count: number): Promise<void> {
    const target = pool[index] as Target
    await advance(1)
    const version = (await both[0].store.loadRouting(target.tenantId)).version
    const events = Array.from(
      { length: count },
      (_, at): NewEvent => ({
        id: ids.next('evt'),
        tenantId: target.tenantId,
        topic: 'orders.created',
        payload: new Uint8Array(1 + ((at * 37) % 90)),
        metadata: null,
        traceContext: null,
        request: null,
        filteredSubscriptions: null,
        hasIdempotencyKey: false,
        orderingKey: null,
        producerKeyId: null,
        deliverAt: null,
        idempotency: null,
        routingVersion: version,
        deliveries: [
          {
            ...target,
            id: ids.next('dlv'),
            targetId: target.endpointId,
            handOff: false,
            ordered: false,
            parked: null,
          },
        ],
      }),
    )
    await onBoth(({ store }) => store.publish(events, { leaseMs }))
  }

  const keyOf = ({ id, claimVersion, lostClaims, attemptCount }: ClaimedDelivery) =>
    [id, claimVersion, lostClaims, attemptCount].join(' ')

  async function claimOnBoth(claim: {
    readonly limit: number
    readonly startable?: number | undefined
    readonly maxBytes: number
    readonly slots: Readonly<Record<string, number>>
  }): Promise<readonly ClaimedDelivery[]> {
    const slots = new Map(
      Object.entries(claim.slots).map(([index, count]) => [pool[Number(index)]?.endpointId ?? '', count]),
    )
    const { limit, maxBytes, startable } = claim
    const request = { limit, maxBytes, leaseMs, slots, ...(startable !== undefined && { startable }) }
    const results = await onBoth(({ store }) => store.claim(request))
    const [ours = [], theirs = []] = results.map(({ deliveries }) => deliveries)
    expect(theirs.map(keyOf)).toEqual(ours.map(keyOf))
    return ours
  }

  async function finish(claimed: readonly ClaimedDelivery[], kinds: readonly string[]): Promise<void> {
    const kindOf = (index: number) => kinds[index % kinds.length]
    const outcomes = claimed.flatMap((delivery, index): DeliveryOutcome[] => {
      switch (kindOf(index)) {
        case 'success':
          return [anOutcome(delivery)]
        case 'retry':
          return [anOutcome(delivery, { next: retryIn(3000) })]
        case 'unreachable':
          return [aTransportFailure(delivery, both[0].now(), 2000)]
        default:
          return []
      }
    })
    await onBoth(({ store }) => store.recordOutcomes(outcomes, breaker))
    const releases = claimed
      .filter((_, index) => kindOf(index) === 'release')
      .map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs: 500 }))
    await onBoth(({ store }) => store.release(releases))
  }

  /**
   * Until nothing is left, not even a ready row that is to be looked at once more, and the next claim begins behind the
   * same tenant on both.
   */
  async function drain(): Promise<void> {
    await drainUntil(1)
    await publish(0, 1)
    await drainUntil(2)
  }

  async function drainUntil(emptyClaims: number): Promise<void> {
    for (let empty = 0; empty < emptyClaims; ) {
      await advance(3_700_000)
      const results = await onBoth(async ({ store }) => {
        const claimed = await store.claim({ limit: 1000, maxBytes: 1e9, leaseMs, slots: new Map() })
        const outcomes = claimed.deliveries.map((delivery) => anOutcome(delivery))
        if (outcomes.length > 0) await store.recordOutcomes(outcomes, breaker)
        return outcomes.length
      })
      empty = results.every((count) => count === 0) ? empty + 1 : 0
    }
  }

  async function play(scene: Scene): Promise<void> {
    for (const index of scene.backlogs) await publish(index, scene.firstLimit + 5)
    const claimed = await claimOnBoth({ limit: scene.firstLimit, maxBytes: 10_000_000, slots: {} })
    await finish(claimed, scene.outcomes)
    await advance(scene.pauseMs)
    for (const [index, count] of scene.fresh) await publish(index, count)
    for (const claim of scene.claims) await claimOnBoth(claim)
  }

  return {
    play: (numRuns: number) =>
      fc.assert(fc.asyncProperty(aScene, play).beforeEach(drain), {
        numRuns,
        examples: onceDifferent.map((scene) => [scene]),
      }),
    async close() {
      for (const harness of both) await harness.close()
    },
  }
}

describe.each(testedServers())('random scenes of claims, $name', ({ start }) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await start()
    await withoutWaitingForDisks(server)
  })
  afterAll(() => server?.stop())

  it(
    `bring the same deliveries on SQLite and PostgreSQL, ${scenes} of them`,
    async () => {
      const all = await Promise.all(lanes.map((weights) => aLane(server, weights)))
      await Promise.all(all.map((lane) => lane.play(Math.ceil(scenes / lanes.length))))
      for (const lane of all) await lane.close()
    },
    120_000 + scenes * 2000,
  )
})
