import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { retention } from './contract/retention.ts'
import { anOutcome, aTransportFailure, breaker, deadLetter, openScene, retryIn } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

/**
 * The cost of claims and outcomes must not follow the backlog, and the planner must not be led astray by a table that
 * was empty when it looked. Every statement that the hot path prepares is put before it, as it was prepared: without
 * the values, on tables without statistics.
 */
describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)('the plans of the hot path', () => {
  const statements = new Map<string, string>()
  let server: PostgresServer
  let harness: PostgresHarness

  beforeAll(async () => {
    server = await startPostgres('18')
    harness = await openPostgresHarness(server)
    const scene = await openScene(async () => harness)
    const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
    const query = vi.spyOn(pg.Client.prototype, 'query')
    await scene.publish({
      routes,
      handOff: true,
      idempotency: { scope: '', key: 'k', hash: new Uint8Array(32), ttlMs: 1 },
    })
    await scene.publishMany(20, { routes })
    const { deliveries } = await scene.claim()
    const [a, b, c, d, ...rest] = deliveries
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error('nothing claimed')
    await scene.record(anOutcome(a))
    await scene.record(anOutcome(b, { next: retryIn(1) }), anOutcome(c, { next: deadLetter }))
    await scene.store.release([{ deliveryId: d.id, claimVersion: 1, delayMs: 0 }])
    await scene.store.replay(a.tenantId, c.id)
    await scene.store.recordOutcomes(
      rest.map((delivery) => aTransportFailure(delivery, scene.now())),
      breaker,
    )
    await scene.advance(60_000)
    await scene.claim()
    await scene.store.reconcileReady({ limit: 10 })
    await scene.store.deleteExpiredIdempotencyKeys({ limit: 10 })
    await scene.store.removeExpired({ retention, limit: 10 })
    await harness.sql(`select publish('a', '{}')`)
    const event = await scene.anEvent({ routes })
    for (const { id } of (await scene.store.cluster?.outbox.listAccepted(10)) ?? []) {
      await scene.store.cluster?.outbox.fanOut([{ ...event, id }])
      await scene.store.getEvent(event.tenantId, id)
      await scene.store.getPayload(event.tenantId, id)
    }
    for (const [config] of query.mock.calls as unknown as [
      { readonly name?: string; readonly text?: string },
    ][]) {
      if (config.name !== undefined && config.text !== undefined) statements.set(config.name, config.text)
    }
    query.mockRestore()
  })
  afterAll(async () => {
    await harness?.close()
    await server?.stop()
  })

  it('cover its statements', () => {
    for (const name of [
      'publish',
      'pick_candidates',
      'take_due',
      'lease_rows',
      'read_left',
      'write_ready',
      'end_leases',
      'lock_leases',
      'recover',
      'list_accepted',
      'fan_out',
      'get_event',
      'get_payload',
    ]) {
      expect(Array.from(statements.keys())).toContain(name)
    }
  })

  it('walk no table that grows with the traffic', async () => {
    await harness.sql('set enable_seqscan = off')
    await harness.sql('set jit = off')
    const walked: string[] = []
    const large =
      /Seq Scan on (live_deliveries|deliveries|events|attempts|handoffs|idempotency_keys|ready_endpoints|endpoint_state|outbox)\b|Bitmap Index Scan on ready_endpoints_next/
    for (const [name, text] of statements) {
      if (name === 'load_health' || name === 'ping') continue
      // A row of handoffs stands for a whole commit; retention looks for the oldest of those that stand.
      const walks = name.startsWith('remove_') ? ['handoffs'] : []
      const plan = await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`)
      for (const { 'QUERY PLAN': line } of plan) {
        const table = large.exec(line)?.[1] ?? large.exec(line)?.[0]
        if (table !== undefined && !walks.includes(table)) walked.push(`${name}: ${line.trim()}`)
      }
    }
    expect(walked).toEqual([])
  })

  it('begin claims at their mark by the index, and write ready rows by place', async () => {
    const linesOf = async (name: string): Promise<readonly string[]> =>
      (await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${statements.get(name)}`)).map(
        (row) => row['QUERY PLAN'],
      )
    const marked = (lines: readonly string[]) =>
      lines.filter((line) => /Index Cond: .*ROW\(l?\.?due_at, l?\.?id\) > ROW\(/.test(line))
    await harness.sql('set enable_seqscan = off')
    expect(marked(await linesOf('take_due'))).toHaveLength(1)
    expect(marked(await linesOf('read_left'))).toHaveLength(2)
    const written = await linesOf('write_ready')
    expect(written.filter((line) => line.includes('Tid Scan on ready_endpoints'))).toHaveLength(2)
  })

  it('join no two lists of unknown length row by row', async () => {
    const joined: string[] = []
    for (const [name, text] of statements) {
      const plan = await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`)
      const lines = plan.map((row) => row['QUERY PLAN'])
      lines.forEach((line, at) => {
        if (!/->\s+Nested Loop/.test(line) && !line.startsWith('Nested Loop')) return
        const depth = line.search(/\S/)
        const inner = childrenOf(lines, at, depth)[1]
        // The leases that one row of handoffs lists are no list of unknown length beside it.
        if (inner !== undefined && /(CTE|Function) Scan (?!on l\b)/.test(inner))
          joined.push(`${name}: ${inner.trim()}`)
      })
    }
    expect(joined).toEqual([])
  })
})

/** The lines of a node's inputs. */
function childrenOf(lines: readonly string[], at: number, depth: number): readonly string[] {
  const children: string[] = []
  let childDepth = -1
  for (const line of lines.slice(at + 1)) {
    const lineDepth = line.search(/\S/)
    if (lineDepth <= depth && line.includes('->')) break
    if (!line.includes('->')) continue
    if (childDepth === -1) childDepth = lineDepth
    if (lineDepth === childDepth) children.push(line)
  }
  return children
}
