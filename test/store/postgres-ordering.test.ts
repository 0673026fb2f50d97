/** Ordered subscriptions with two nodes on one database that do everything at the same time. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import type { Store } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aLine, keysOf } from './contract/ordering.ts'
import { anOutcome, breaker, deadLetter, leaseMs, openScene, type Scene } from './contract/scene.ts'
import { aFullTenant, removeTenants } from './contract/tenant-removal.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
let harness: PostgresHarness
let scene: Scene
let nodes: readonly Store[]
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  harness = await openPostgresHarness(server)
  scene = await openScene(async () => harness)
  nodes = [harness.store, await harness.openNode()]
})
afterEach(() => harness.close())

const request = { limit: 10, maxBytes: 10_000_000, leaseMs, slots: new Map<string, number>() }

test('two nodes that publish, deliver, give up and skip at once keep the order of each key and get stuck nowhere', async () => {
  const route = await scene.anEndpoint({ ordered: true })
  const keys = ['a', 'b', 'c', 'd']
  const perKey = 12
  /** By key, in the order in which their publishes were answered, one after the other. */
  const published = new Map<string, string[]>(keys.map((key) => [key, []]))
  const delivered: string[] = []
  let done = 0
  const publishing = keys.map(async (orderingKey, nth) => {
    for (let at = 0; at < perKey; at++) {
      // Of two keys in one batch, in the other order on the other node.
      const others = at % 3 === 0 ? [keys[(nth + 1) % keys.length] ?? ''] : []
      const events = await Promise.all(
        [orderingKey, ...others.map((key) => `${key}-beside`)].map((key) =>
          scene.anEvent({ routes: [route], orderingKey: key }),
        ),
      )
      const results = await (nodes[(nth + at) % 2] as Store).publish(events, { leaseMs })
      expect(results.map(({ kind }) => kind)).toEqual(events.map(() => 'published'))
      published.get(orderingKey)?.push(events[0]?.id ?? '')
    }
    done += 1
  })
  const delivering = nodes.map(async (node, nth) => {
    for (let idle = 0; idle < 5 || done < keys.length; ) {
      const { deliveries } = await node.claim(request)
      idle = deliveries.length === 0 ? idle + 1 : 0
      const outcomes = deliveries.map((each, at) =>
        anOutcome(each, { observation: null, ...((at + nth) % 4 === 3 && { next: deadLetter }) }),
      )
      const { recorded, held } = await node.recordOutcomes(outcomes, breaker)
      expect(held).toEqual([])
      deliveries.forEach(({ eventId }, at) => {
        if (recorded[at] === true) delivered.push(eventId)
      })
      for (const { headDeliveryId } of await keysOf({ store: node }, { blocked: true })) {
        await node.skipDelivery(defaultTenantId, headDeliveryId, 'skipped')
      }
    }
  })
  await Promise.all([...publishing, ...delivering])
  await nodes[0]?.reconcileReady({ limit: 100 })
  expect(await keysOf(scene)).toEqual([])
  for (const ids of published.values()) expect(delivered.filter((id) => ids.includes(id))).toEqual(ids)
}, 120_000)

test('a line whose next delivery somebody has locked goes on when the lock is gone, and holds nobody up', async () => {
  const route = await scene.anEndpoint({ ordered: true })
  const [, second] = await aLine(scene, route, 3)
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query(`set search_path to ${harness.schema}`)
    await client.query('begin')
    await client.query(
      `select 1 from live_deliveries where reason = 'behind_head' order by place limit 1 for update`,
    )
    const { recorded, held } = await scene.record(anOutcome(await scene.claimOne()))
    expect({ recorded, held }).toEqual({ recorded: [true], held: [] })
    expect((await scene.claim()).deliveries).toEqual([])
    await client.query('rollback')
  } finally {
    await client.end()
  }
  await scene.store.reconcileReady({ limit: 100 })
  expect((await scene.claim()).deliveries.map(({ id }) => id)).toEqual([second])
  expect(await keysOf(scene)).toMatchObject([{ headDeliveryId: second, length: 2 }])
})

test('of a tenant that was removed no row of its lines is left, nor of who stood in them', async () => {
  const { tenantId } = await aFullTenant(scene)
  const rows = async () => {
    const [found] = await harness.sql<{
      readonly lines: number
      readonly standing: number
      readonly skips: number
    }>(
      `select (select count(*) from ordered_keys)::integer as lines,
         (select count(*) from live_deliveries where line is not null)::integer as standing,
         (select count(*) from skipped_heads)::integer as skips`,
    )
    return found
  }
  expect(await rows()).toEqual({ lines: 2, standing: 4, skips: 1 })
  await scene.store.deleteTenant(tenantId)
  await removeTenants({
    ...scene,
    advance: async (ms) => {
      await scene.advance(ms)
      await scene.store.reconcileReady({ limit: 100 })
      await scene.claim()
    },
  })
  expect(await rows()).toEqual({ lines: 0, standing: 0, skips: 0 })
})
