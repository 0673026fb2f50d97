/** Somebody else's connection has rows locked: what it locks waits, and nothing else does. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import type { ClaimedDelivery, RecordResult } from '../../src/store/port.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { anOutcome, breaker, openScene, retryIn, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

describe.each(testedServers())('rows that somebody else has locked, $name', (tested) => {
  let server: PostgresServer
  let harness: PostgresHarness
  let scene: Scene
  const clients: pg.Client[] = []
  beforeAll(async () => {
    server = await tested.start()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    harness = await openPostgresHarness(server)
    scene = await openScene(async () => harness)
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end()
    await harness.close()
  })

  /** The answer ends the lock. */
  async function lock(table: string, column: string, ids: readonly string[]): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    clients.push(client)
    await client.query(`set search_path to ${harness.schema}`)
    await client.query('begin')
    const hex = ids.map((id) => Buffer.from(idToBytes(id)).toString('hex'))
    const { rows } = await client.query(
      `select 1 from ${table} where ${column} = any ($1::uuid[]) for update`,
      [hex],
    )
    expect(rows).toHaveLength(ids.length)
    return async () => void (await client.query('rollback'))
  }

  const idsOf = (deliveries: readonly ClaimedDelivery[]) => deliveries.map(({ id }) => id)
  const lockDeliveries = (deliveries: readonly ClaimedDelivery[]) =>
    lock('live_deliveries', 'id', idsOf(deliveries))

  async function claimed(count: number): Promise<readonly ClaimedDelivery[]> {
    await scene.publishMany(count, { routes: [await scene.anEndpoint()] })
    const { deliveries } = await scene.claim({ limit: count })
    expect(deliveries).toHaveLength(count)
    return deliveries
  }

  const succeeded = async () => (await scene.store.counts()).deliveries.succeeded
  const expectHeld = ({ recorded, held }: RecordResult, isHeld: readonly boolean[]) => {
    expect(recorded).toEqual(isHeld.map((each) => !each))
    expect([...held].sort((a, b) => a - b)).toEqual(isHeld.flatMap((each, index) => (each ? [index] : [])))
  }

  it.each([
    ['successes', {}],
    ['retries', { next: retryIn(1000), observation: null }],
    ['failures that change the endpoint’s health', { next: retryIn(1000) }],
    ['dead letters', { next: { state: 'dead_lettered', finalError: 'http_500' } as const }],
  ])('keep their own outcomes waiting, and no others: 50 of 250 %s', async (_, outcome) => {
    const deliveries = await claimed(250)
    const unlock = await lockDeliveries(deliveries.filter((_, index) => index % 5 === 0))
    const outcomes = deliveries.map((each) => anOutcome(each, outcome))
    expectHeld(
      await scene.record(...outcomes),
      outcomes.map((_, index) => index % 5 === 0),
    )
    const locked = outcomes.filter((_, index) => index % 5 === 0)
    expectHeld(
      await scene.record(...locked),
      locked.map(() => true),
    )
    await unlock()
    expectHeld(
      await scene.record(...locked),
      locked.map(() => false),
    )
    const { deliveries: counts } = await scene.store.counts()
    expect(counts.in_flight).toBe(0)
    const attempts = await harness.sql<{ count: number }>(
      `select ((select count(*) from attempts) + (select count(*) from deliveries where started_at is not null))::integer
         as count`,
    )
    expect(attempts).toEqual([{ count: 250 }])
  })

  it('whose lease was taken over meanwhile leave a stale outcome', async () => {
    const [delivery] = (await claimed(1)) as [ClaimedDelivery]
    const unlock = await lockDeliveries([delivery])
    expectHeld(await scene.record(anOutcome(delivery)), [true])
    await scene.advance(60_000)
    // A claim passes the row over as well.
    expect((await scene.claim()).deliveries).toEqual([])
    await unlock()
    await scene.store.reconcileReady({ limit: 10 })
    await scene.advance(2000)
    expect(idsOf((await scene.claim()).deliveries)).toEqual([delivery.id])
    expect(await scene.record(anOutcome(delivery))).toMatchObject({ recorded: [false], held: [] })
  })

  it('keep their own leases from being given back, and no others', async () => {
    const deliveries = await claimed(20)
    const unlock = await lockDeliveries(deliveries.slice(0, 5))
    const releases = deliveries.map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs: 0 }))
    expect(await scene.store.release(releases)).toEqual(releases.slice(0, 5))
    expect((await scene.store.counts()).deliveries).toMatchObject({ in_flight: 5, pending: 15 })
    await unlock()
    expect(await scene.store.release(releases)).toEqual([])
    expect((await scene.store.counts()).deliveries).toMatchObject({ in_flight: 0, pending: 20 })
  })

  describe('of an endpoint', () => {
    /** Two endpoints that have failed before, one delivery of each in flight. */
    async function twoFailing() {
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()] as const
      await scene.publishMany(2, { routes })
      const { deliveries } = await scene.claim()
      const inOrder = routes.map((route) =>
        deliveries.filter(({ endpointId }) => endpointId === route.endpointId),
      )
      const [first, second] = inOrder.map(([delivery]) => delivery as ClaimedDelivery)
      await scene.record(
        ...[first, second].map((each) => anOutcome(each as ClaimedDelivery, { next: retryIn(0) })),
      )
      const rest = inOrder.map((all) => all[1] as ClaimedDelivery) as [ClaimedDelivery, ClaimedDelivery]
      return { routes, deliveries: rest }
    }

    it.each([
      [
        'endpoint_state',
        'target_id',
        { next: retryIn(1000), observation: { contact: 'transport_failure' as const } },
      ],
      ['endpoints', 'id', { next: retryIn(1000), disableEndpoint: 'gone' as const }],
    ])('in %s keep the outcomes of that endpoint waiting, and no others', async (table, column, outcome) => {
      const { routes, deliveries } = await twoFailing()
      const unlock = await lock(table, column, [routes[0].endpointId])
      const outcomes = deliveries.map((each) => anOutcome(each, outcome))
      expectHeld(await scene.record(...outcomes), [true, false])
      await unlock()
      expectHeld(await scene.record(...outcomes.slice(0, 1)), [false])
      expect((await scene.store.counts()).deliveries.in_flight).toBe(0)
    })

    it('in ready_endpoints keep the outcomes of that endpoint that need it waiting, and no others', async () => {
      const { routes, deliveries } = await twoFailing()
      // Later than what is to come, so that it has to be changed.
      await harness.sql('update ready_endpoints set next_at = $1', [scene.now() + 1_000_000])
      const unlock = await lock('ready_endpoints', 'target_id', [routes[0].endpointId])
      const outcomes = deliveries.map((each) => anOutcome(each, { next: retryIn(10), observation: null }))
      expectHeld(await scene.record(...outcomes), [true, false])
      await unlock()
      expectHeld(await scene.record(...outcomes.slice(0, 1)), [false])
    })

    it('keep no success of it waiting', async () => {
      const routes = [await scene.anEndpoint()]
      await scene.publishMany(10, { routes })
      const { deliveries } = await scene.claim()
      await lock('endpoints', 'id', [routes[0]?.endpointId ?? ''])
      const outcomes = deliveries.map((each) => anOutcome(each))
      const { held } = await scene.store.recordOutcomes(outcomes, breaker)
      expect(held).toEqual([])
      expect(await succeeded()).toBe(10)
    })
  })
})
