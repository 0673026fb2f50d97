import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { KeyRates } from '../../src/engine/key-rates.ts'
import type { ClaimRequest, SlotShares, Store } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { leaseMs, openScene, type Route, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
let harness: PostgresHarness
let scene: Scene
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  harness = await openPostgresHarness(server)
  scene = await openScene(async () => harness)
})
afterEach(() => harness.close())

const usableMs = 6000
const lease = { usableMs, openMs: 18_000 }

/** A node that renews its shares, as a dispatcher does. */
async function aNode(): Promise<{
  readonly store: Store
  readonly shares: SlotShares
  renew: SlotShares['renew']
}> {
  const store = await harness.openNode()
  if (store.cluster === null) throw new Error('a store of many nodes has shares')
  await store.cluster.shares.renew(lease)
  return { store, shares: store.cluster.shares, renew: store.cluster.shares.renew }
}

type Node = Awaited<ReturnType<typeof aNode>>

/** Claims as a node does that has so many in flight, and says what its share is then. */
async function claim(node: Node, route: Route, given: Partial<ClaimRequest> = {}) {
  const request = { limit: 100, maxBytes: 10_000_000, leaseMs, slots: new Map(), ...given }
  const { deliveries, cluster } = await node.store.claim(request)
  return { count: deliveries.length, share: cluster?.shares.get(route.endpointId) ?? 0 }
}

const asking = (route: Route, slots = 0) => ({
  slots: new Map([[route.endpointId, slots]]),
  wantsMore: new Set([route.endpointId]),
})

async function totalShares(): Promise<number> {
  const [row] = await harness.sql<{ total: number }>(
    'select coalesce(sum(s.slots), 0)::integer as total from endpoint_shares s join nodes n on n.id = s.node_id where n.usable_until > $1',
    [scene.now()],
  )
  return row?.total ?? 0
}

async function aBacklog(maxInFlight: number): Promise<Route> {
  const route = await scene.anEndpoint({ maxInFlight })
  await scene.publishMany(300, { routes: [route] })
  return route
}

describe('slots that nodes share', () => {
  it('all belong to a node that is alone', async () => {
    const route = await aBacklog(32)
    expect(await claim(await aNode(), route)).toEqual({ count: 32, share: 32 })
  })

  it('are taken in parts where there are several nodes, so that each finds some', async () => {
    const nodes = [await aNode(), await aNode(), await aNode(), await aNode()]
    const route = await aBacklog(48)
    const shares: number[] = []
    for (const node of nodes) shares.push((await claim(node, route)).share)
    expect(shares).toEqual([12, 9, 8, 8])
  })

  it('never add up to more than the limit, whoever asks for them at the same time', async () => {
    const nodes = await Promise.all(Array.from({ length: 5 }, aNode))
    const routes = [await aBacklog(1), await aBacklog(3), await aBacklog(32)]
    for (let turn = 0; turn < 8; turn++) {
      const claims = nodes.map((node) =>
        node.store.claim({
          limit: 20,
          maxBytes: 10_000_000,
          leaseMs,
          slots: new Map(routes.map((route) => [route.endpointId, 0])),
          wantsMore: new Set(routes.map((route) => route.endpointId)),
        }),
      )
      await Promise.all(claims)
      const rows = await harness.sql<{ total: number; max_in_flight: number }>(
        `select sum(s.slots)::integer as total, e.max_in_flight from endpoint_shares s
         join endpoints e on e.id = s.target_id group by e.id`,
      )
      for (const { total, max_in_flight: limit } of rows) expect(total).toBeLessThanOrEqual(limit)
    }
    for (const node of [...nodes, ...nodes, ...nodes])
      for (const route of routes) await claim(node, route, asking(route))
    expect(await totalShares()).toBe(36)
  })

  it('give a claim nothing where others have all of them, and leave the work to those', async () => {
    const route = await aBacklog(4)
    const owner = await aNode()
    expect(await claim(owner, route)).toEqual({ count: 4, share: 4 })
    expect(await claim(await aNode(), route)).toEqual({ count: 0, share: 0 })
    expect((await claim(owner, route, { slots: new Map([[route.endpointId, 4]]) })).count).toBe(4)
  })

  it('are asked back by a node that found none: step by step, down to the part of each', async () => {
    const route = await aBacklog(32)
    const owner = await aNode()
    await claim(owner, route)
    expect((await owner.renew(lease)).wanted.size).toBe(0)
    const other = await aNode()
    const kept: number[] = []
    for (let second = 0; second < 10; second++) {
      for (let each = 0; each < 3; each++) await claim(other, route, asking(route))
      const keep = (await owner.renew(lease)).wanted.get(route.endpointId) ?? 0
      kept.push(keep)
      await owner.shares.lower(new Map([[route.endpointId, keep]]))
    }
    expect(kept).toEqual([30, 28, 26, 24, 22, 20, 18, 16, 16, 16])
    await claim(other, route, asking(route))
    expect(await totalShares()).toBe(32)
  })

  it('are not split up below eight, and are taken as many at once', async () => {
    const route = await aBacklog(13)
    const owner = await aNode()
    await claim(owner, route)
    const others = [await aNode(), await aNode()]
    const kept: number[] = []
    for (let second = 0; second < 7; second++) {
      for (const other of others) await claim(other, route, asking(route))
      const keep = (await owner.renew(lease)).wanted.get(route.endpointId) ?? 13
      kept.push(keep)
      await owner.shares.lower(new Map([[route.endpointId, keep]]))
    }
    expect(kept).toEqual([12, 11, 10, 9, 8, 8, 8])
    const [first] = others
    await owner.shares.lower(new Map([[route.endpointId, 0]]))
    expect((await claim(first ?? owner, route, asking(route))).share).toBe(8)
  })

  it('that are free go to a node that wishes for some, not back to one that has its part', async () => {
    const route = await aBacklog(32)
    const owner = await aNode()
    await claim(owner, route)
    const other = await aNode()
    await claim(other, route)
    await owner.shares.lower(new Map([[route.endpointId, 30]]))
    expect((await claim(owner, route, asking(route))).share).toBe(30)
    expect((await claim(other, route, asking(route))).share).toBe(2)
  })

  it('are not asked back any more once the wish is old', async () => {
    const route = await aBacklog(2)
    const owner = await aNode()
    await claim(owner, route)
    await claim(await aNode(), route)
    await scene.advance(2500)
    expect((await owner.renew(lease)).wanted.size).toBe(1)
    await scene.advance(2500)
    expect((await owner.renew(lease)).wanted.size).toBe(0)
  })

  it('that are given up are free for others, and gone with a share of nothing', async () => {
    const route = await aBacklog(6)
    const owner = await aNode()
    await claim(owner, route)
    await owner.shares.lower(new Map([[route.endpointId, 0]]))
    expect(await totalShares()).toBe(0)
    expect((await claim(await aNode(), route)).share).toBe(6)
  })

  it('are free at once when their node leaves', async () => {
    const route = await aBacklog(6)
    const leaver = await aNode()
    await claim(leaver, route)
    await leaver.shares.leave()
    expect(await claim(await aNode(), route)).toEqual({ count: 6, share: 6 })
    expect((await claim(leaver, route)).count).toBe(0)
  })

  it('of a node that died are free when it may use them no more, but for those of its open requests', async () => {
    const route = await aBacklog(6)
    const dead = await aNode()
    expect((await claim(dead, route, { limit: 2 })).share).toBe(6)
    const heir = await aNode()
    await scene.advance(usableMs - 1)
    await heir.renew(lease)
    expect((await claim(heir, route, asking(route))).share).toBe(0)
    await scene.advance(1)
    await heir.renew(lease)
    expect(await claim(heir, route, asking(route))).toEqual({ count: 4, share: 4 })
    await heir.renew(lease)
    expect((await claim(heir, route, asking(route))).share).toBe(4)
    for (let seconds = 0; seconds < 18; seconds += 3) {
      await scene.advance(3000)
      await heir.renew(lease)
    }
    expect((await claim(heir, route, asking(route))).share).toBe(6)
    expect(await harness.sql('select from endpoint_shares')).toHaveLength(1)
  })

  it('are lost to a node that comes back too late: it starts again under another name', async () => {
    const route = await aBacklog(6)
    const frozen = await aNode()
    const before = (await frozen.renew(lease)).nodeId
    await claim(frozen, route, { limit: 1 })
    await scene.advance(usableMs)
    expect((await claim(frozen, route)).count).toBe(0)
    expect((await frozen.renew(lease)).nodeId).not.toBe(before)
    // The request that it sent before may still be open.
    expect((await claim(frozen, route)).count).toBe(5)
  })

  it('are not taken of an endpoint that is being changed, and nobody waits for the change', async () => {
    const route = await aBacklog(6)
    const node = await aNode()
    await harness.sql('begin')
    await harness.sql('update endpoints set max_in_flight = 2')
    expect(await claim(node, route)).toEqual({ count: 0, share: 0 })
    await harness.sql('commit')
    expect(await claim(node, route)).toEqual({ count: 2, share: 2 })
  })

  it('are looked at anew by every node when the limit changes', async () => {
    const nodes = [await aNode(), await aNode()]
    const route = await aBacklog(32)
    for (const node of nodes) await claim(node, route)
    await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { maxInFlight: 3 })
    let kept = 0
    for (const node of nodes) kept += (await node.renew(lease)).wanted.get(route.endpointId) ?? 0
    expect(kept).toBe(3)
  })

  it('go with their endpoint', async () => {
    const route = await aBacklog(4)
    await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { rateLimitRps: 1 })
    await claim(await aNode(), route)
    await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
    expect(await harness.sql('select from endpoint_shares')).toEqual([])
  })
})

describe('a rate on several nodes', () => {
  it('begins with a full bucket where there is none, as after a copy', async () => {
    const route = await scene.anEndpoint({ rateLimitRps: 3 })
    await harness.sql('delete from endpoint_shares')
    await scene.publish({ routes: [route], handOff: true })
    await scene.publishMany(10, { routes: [route] })
    const node = await aNode()
    expect((await claim(node, route)).count).toBe(6)
    expect((await claim(node, route)).count).toBe(0)
  })

  it('is one for all of them, for hand-offs and claims at the same time', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, aNode))
    const route = await scene.anEndpoint({ rateLimitRps: 20 })
    const batches = await Promise.all(
      nodes.map(() =>
        Promise.all(Array.from({ length: 15 }, () => scene.anEvent({ routes: [route], handOff: true }))),
      ),
    )
    const results = await Promise.all(
      nodes.map((node, index) => node.store.publish(batches[index] ?? [], { leaseMs })),
    )
    const handedOff = results
      .flat()
      .filter((result) => result.kind === 'published' && result.handedOff[0]).length
    await Promise.all(nodes.map((node) => claim(node, route)))
    expect(handedOff).toBeGreaterThan(0)
    expect((await scene.store.counts()).deliveries.in_flight).toBe(40)
  })
})

describe('the rate of a producer key on several nodes', () => {
  const takeAll = async (rates: readonly KeyRates[], rps: number) => {
    const taken = await Promise.all(
      Array.from({ length: 60 }, (_, n) => rates[n % rates.length]?.take(keyId, { rps, count: 1 })),
    )
    return taken.reduce((sum, one) => sum + (one?.count ?? 0), 0)
  }
  const keyId = 'key_01h455vb4pex5vsknk084sn02q'

  it('is one for all of them, and what is missing stays missing when it changes', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, aNode))
    const rates = nodes.map(
      ({ store }) => new KeyRates({ clock: harness.clock, tokens: store.cluster?.keyTokens ?? null }),
    )
    expect(await takeAll(rates, 10)).toBe(20)
    await harness.advance(1000)
    expect(await takeAll(rates, 10)).toBe(10)
    // The larger bucket has room for 40, and 20 of them are missing.
    expect(await takeAll(rates, 20)).toBe(20)
    await harness.advance(1000)
    expect(await takeAll(rates, 20)).toBe(20)
  })
})
