import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { workOnMany } from './contract/every-read.ts'
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
  /** As they were called last. */
  const values = new Map<string, readonly unknown[]>()
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
    await scene.store.readBacklog(null)
    await scene.store.listTroubled(null)
    await scene.store.deleteExpiredIdempotencyKeys({ limit: 10 })
    await scene.delivery(a.id)
    await scene.deliveriesOf(a.eventId)
    await scene.store.listAttempts([a.id], { withCapture: true })
    await scene.record(anOutcome({ id: a.id, claimVersion: 99, attemptCount: 0 }))
    await scene.store.removeExpired({ retention, limit: 10 })
    await harness.sql(`select publish('a', '{}')`)
    const event = await scene.anEvent({ routes })
    for (const { id } of (await scene.store.cluster?.outbox.listAccepted(10)) ?? []) {
      await scene.store.cluster?.outbox.fanOut([{ ...event, id }])
      await scene.store.getEvent(event.tenantId, id)
      await scene.store.getPayload(event.tenantId, id)
    }
    const second = await openPostgresHarness(server)
    await workOnMany(await openScene(async () => second))
    await second.close()
    for (const [config] of query.mock.calls as unknown as [
      { readonly name?: string; readonly text?: string; readonly values?: readonly unknown[] },
    ][]) {
      if (config.name === undefined || config.text === undefined) continue
      statements.set(config.name, config.text)
      values.set(config.name, config.values ?? [])
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
      'walk_dead_letters',
      'walk_waiting',
      'walk_missed',
      'find_api_keys',
      'find_heads',
      'retries_by_due',
      'troubled_endpoints',
    ]) {
      expect(Array.from(statements.keys())).toContain(name)
    }
  })

  it('walk no table that grows with the traffic', async () => {
    await harness.sql('set enable_seqscan = off')
    await harness.sql('set jit = off')
    const walked: string[] = []
    const large =
      /Seq Scan on (live_deliveries|deliveries|events|attempts|handoffs|idempotency_keys|ready_endpoints|endpoint_state|outbox|audit_log)\b|Bitmap Index Scan on ready_endpoints_next/
    for (const [name, text] of statements) {
      if (name === 'load_health' || name === 'ping') continue
      // A row of handoffs stands for a whole commit, and a few hundred of them stand at most.
      const walks =
        /^(remove_|oldest_grant|handed_off_of_job|get_delivery|deliveries_of_event|read_leases)/.test(name)
          ? ['handoffs']
          : []
      const plan = await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`)
      for (const { 'QUERY PLAN': line } of plan) {
        const table = large.exec(line)?.[1] ?? large.exec(line)?.[0]
        // Figures look at the targets that are due in whatever order their rows lie.
        if (/^(oldest_due_of|troubled_endpoints)$/.test(name) && line.includes('ready_endpoints_next'))
          continue
        if (table !== undefined && !walks.includes(table)) walked.push(`${name}: ${line.trim()}`)
      }
    }
    expect(walked).toEqual([])
  })

  /** Reads of a whole large table that are no walk in order, up to a limit: not one seek for each row of a list. */
  async function wholeReads(
    explain: (name: string, text: string) => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const found: string[] = []
    for (const [name, text] of statements) {
      if (
        !/^(publish|take_due|lease_rows|end_leases|lock_leases|read_leases|lease_facts|recover|fan_out|make_wait|finish_waiting|get_delivery|deliveries_of_event|list_attempts)/.test(
          name,
        )
      )
        continue
      const lines = await explain(name, text)
      lines.forEach((line, at) => {
        const scan = /(Seq|Index|Index Only) Scan .*\bon (live_deliveries|deliveries|events|attempts)\b/.exec(
          line,
        )
        if (scan === null) return
        const conditions = lines.slice(at + 1, at + 3).join(' ')
        if (scan[1] === 'Seq' || !/(Index|TID) Cond/.test(conditions)) found.push(`${name}: ${line.trim()}`)
      })
    }
    return found
  }

  const linesOf = (rows: readonly { readonly 'QUERY PLAN': string }[]) => rows.map((row) => row['QUERY PLAN'])
  /** As the server plans it when it keeps one plan for all values, and when it makes one for each. */
  const kinds = [
    [
      'generic',
      (_: string, text: string) => harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`),
    ],
    [
      'custom',
      (name: string, text: string) =>
        harness.sql<{ 'QUERY PLAN': string }>(`explain ${text}`, values.get(name) ?? []),
    ],
  ] as const

  it.each(kinds)(
    'seek each row by itself on tables that nobody has analysed, in %s plans',
    async (_, explain) => {
      await harness.sql('set enable_seqscan = off')
      expect(await wholeReads(async (name, text) => linesOf(await explain(name, text)))).toEqual([])
    },
  )

  it('end claims at the present by the index, so that nothing scheduled for later is read', async () => {
    await harness.sql('set enable_seqscan = off')
    const text = statements.get('take_due')
    const lines = linesOf(await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`))
    const conditions = lines.filter((_, at) => /on live_deliveries l?\b/.test(lines[at - 1] ?? ''))
    const byDue = conditions.filter((line) => line.includes('due_at'))
    expect(byDue.length).toBeGreaterThan(0)
    for (const line of byDue) expect(line).toMatch(/Index Cond: .*due_at <=? /)
  })

  it('begin claims at their mark by the index, and write ready rows by place', async () => {
    const planOf = async (name: string): Promise<readonly string[]> =>
      linesOf(await harness.sql<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${statements.get(name)}`))
    const marked = (lines: readonly string[]) =>
      lines.filter((line) => /Index Cond: .*ROW\(l?\.?due_at, l?\.?id\) > ROW\(/.test(line))
    await harness.sql('set enable_seqscan = off')
    expect(marked(await planOf('take_due'))).toHaveLength(2)
    expect(marked(await planOf('read_left'))).toHaveLength(2)
    const written = await planOf('write_ready')
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
        // What one row lists (leases, an event's deliveries) is no list of unknown length beside it, nor is one row.
        if (
          inner !== undefined &&
          /(CTE|Function) Scan on (?!l\b|l_\d|unnest l\b|next n\b|generate_series place)/.test(inner)
        )
          joined.push(`${name}: ${inner.trim()}`)
      })
    }
    expect(joined).toEqual([])
  })

  // The last, because an analysis is not undone.
  it.each(kinds)(
    'seek each row by itself on tables that were just emptied, in %s plans',
    async (_, explain) => {
      await harness.sql('set enable_seqscan = off')
      await harness.sql('begin')
      try {
        for (const table of [
          'live_deliveries',
          'deliveries',
          'events',
          'attempts',
          'handoffs',
          'ready_endpoints',
        ])
          await harness.sql(`delete from ${table}`)
        await harness.sql('analyze live_deliveries, deliveries, events, attempts, handoffs, ready_endpoints')
        expect(await wholeReads(async (name, text) => linesOf(await explain(name, text)))).toEqual([])
      } finally {
        await harness.sql('rollback')
      }
    },
  )
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
