/** What a look-up or a page reads among 100 000 tenants: a seek for each row that it shows, whatever the filter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import type { DeadLetterFilter, DeliveryFilter, EventFilter } from '../../src/store/port.ts'
import { uuidOfId } from '../../src/store/postgres/rows/wire-types.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { listEverything } from './contract/every-read.ts'
import { anOutcome, openScene, type Route, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'
import { isOfTable, nodesOf, type PlanNode, rowsRead, rowsReadBy, statementsOf } from './rows-read.ts'

const tenants = 100_000
const page = { limit: 20, cursor: null }

describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)('reads among many tenants, PostgreSQL', () => {
  let server: PostgresServer
  let harness: PostgresHarness
  let scene: Scene
  let routes: Route[]
  beforeAll(async () => {
    server = await startPostgres('18')
    harness = await openPostgresHarness(server, { fresh: true })
    scene = await openScene(async () => harness)
    routes = [await scene.anEndpoint(), await scene.anEndpoint()]
    await harness.sql(
      `with i as (select (lpad(to_hex($1::bigint - ${tenants} + n), 12, '0') || '70008000000000000000')::uuid as id,
                    (lpad(to_hex(n), 12, '0') || '70009000000000000000')::uuid as tenant, $1 - ${tenants} + n as at
                  from generate_series(1, ${tenants}) n),
       e as (insert into events (id, tenant_id, topic, state, payload_bytes, created_at, fan_out, payload)
             select id, tenant, 't', 'fanned_out', 1, at, array[id, tenant, tenant], '1' from i)
       insert into deliveries (id, tenant_id, event_id, subscription_id, endpoint_id, state, attempt_count, claim_version,
                               created_at, updated_at, started_at, latency_ms)
       select id, tenant, id, tenant, tenant, 'succeeded', 1, 1, at, at, at, 1 from i`,
      [scene.now()],
    )
    await harness.sql(
      `insert into deliveries (id, tenant_id, event_id, subscription_id, endpoint_id, state, attempt_count, claim_version,
                               error_class, created_at, updated_at)
       select (lpad(to_hex($1::bigint - 60000 + n), 12, '0') || '7000a000000000000000')::uuid, $2, gen_random_uuid(), $3, $4,
              'dead_lettered', 1, 1, case when n % 10000 = 0 then 'dns' else 'http_500' end, $1, $1
       from generate_series(1, 50000) n`,
      [
        scene.now(),
        uuidOfId(defaultTenantId),
        uuidOfId(routes[0]?.subscriptionId ?? ''),
        uuidOfId(routes[0]?.endpointId ?? ''),
      ],
    )
    await scene.publishMany(60, { routes })
    const { deliveries } = await scene.claim({ limit: 100 })
    await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
    await harness.sql('analyze')
  }, 120_000)
  afterAll(async () => {
    await harness?.close()
    await server?.stop()
  }, 60_000)

  const tables = ['events', 'deliveries']
  const reads = (call: () => Promise<unknown>) => rowsReadBy(harness, call, tables)

  it('find an event and a delivery by the id alone, by the index of ids', async () => {
    for (const table of ['events', 'deliveries']) {
      const [{ id } = { id: '' }] = await harness.sql<{ id: string }>(
        `select id from ${table} offset 50000 limit 1`,
      )
      const sent = { text: `select * from ${table} where id = $1`, values: [id] }
      expect(await rowsRead(harness, sent, tables)).toBe(1)
    }
  })

  it('list events, deliveries and dead letters by an index, whatever the filters', async () => {
    const bad: string[] = []
    const statements = await statementsOf(async () => {
      const [event] = (await scene.store.listEvents(defaultTenantId, {}, page)).items
      const { endpointId, subscriptionId } = routes[0] as Route
      await listEverything(scene, {
        endpointId,
        subscriptionId,
        eventId: event?.id as string,
        topic: 'orders.created',
        since: scene.now() - 60_000,
        until: scene.now() + 60_000,
      })
    }, tables)
    const different = new Map(statements.map((sent) => [sent.text, sent]))
    expect(different.size).toBeGreaterThan(400)
    for (const { text, values } of different.values()) {
      const [plan] = await harness.sql<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
        `explain (format json) ${text}`,
        values,
      )
      for (const node of nodesOf(plan?.['QUERY PLAN'][0]?.Plan as PlanNode)) {
        if (!isOfTable(node, tables) || isSought(node)) continue
        bad.push(`${node['Node Type']} ${node['Index Name']} ${node['Index Cond']}: ${text}`)
      }
    }
    expect(bad).toEqual([])
  })

  it('find an ordering key by a seek for each subscription', async () => {
    await harness.sql('set enable_seqscan = off')
    for (const filter of [{}, { subscriptionId: routes[0]?.subscriptionId as string }]) {
      const [sent] = await statementsOf(
        () => scene.store.listOrderedKeys(defaultTenantId, { ...filter, orderingKey: 'a' }, page),
        tables,
      )
      const plan = await harness.sql<{ 'QUERY PLAN': string }>(`explain ${sent?.text}`, sent?.values)
      const conditions = plan.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Index Cond'))
      expect(conditions.join('\n')).toMatch(
        /tenant_id = .* AND \(\(?k?\.?subscription_id = .*ordering_key = /,
      )
    }
    await harness.sql('reset enable_seqscan')
  })

  it.each<readonly [string, EventFilter]>([
    ['the tenant', {}],
    ['a topic', { topic: 'orders.created' }],
    ['a time', { since: 0 }],
  ])('list events of %s', async (_, filter) => {
    const read = await reads(() => scene.store.listEvents(defaultTenantId, filter, page))
    expect(read).toBeLessThan(20 * page.limit)
  })

  it.each<readonly [string, () => DeliveryFilter]>([
    ['the tenant', () => ({})],
    ['an endpoint', () => ({ endpointId: routes[0]?.endpointId as string })],
    [
      'a subscription, whatever other endpoints got',
      () => ({ subscriptionId: routes[1]?.subscriptionId as string }),
    ],
    ['each state: succeeded', () => ({ state: 'succeeded' })],
    ['each state: dead_lettered', () => ({ state: 'dead_lettered' })],
    ['each state: in_flight', () => ({ state: 'in_flight' })],
    ['a topic', () => ({ topic: 'orders.created' })],
    ['a time', () => ({ since: 0 })],
    ['an error class that is rare', () => ({ errorClass: 'dns' })],
    ['an error class that is common', () => ({ errorClass: 'http_500' })],
    ['an error class and a state', () => ({ errorClass: 'dns', state: 'dead_lettered' })],
    [
      'an error class and an endpoint',
      () => ({ errorClass: 'dns', endpointId: routes[0]?.endpointId as string }),
    ],
  ])('list deliveries of %s', async (_, filter) => {
    const read = await reads(() => scene.store.listDeliveries(defaultTenantId, filter(), page))
    expect(read).toBeLessThan(30 * page.limit)
  })

  it.each<DeadLetterFilter>([{}, { errorClass: 'dns' }, { errorClass: 'http_500' }])(
    'list dead letters of %o',
    async (filter) => {
      const read = await reads(() => scene.store.listDeadLetters(defaultTenantId, filter, page))
      expect(read).toBeLessThan(30 * page.limit)
    },
  )
})

/** From an id, or from a tenant: never over everybody's rows. */
function isSought({ 'Index Cond': condition = '' }: PlanNode): boolean {
  return /\btenant_id = |\bid = /.test(condition)
}
