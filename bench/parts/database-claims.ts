/**
 * Claims from a PostgreSQL of many pending deliveries, on the store's port: by how many there are, with most of them
 * due in the future, and while another connection holds a snapshot open.
 */
import type { Client } from 'pg'
import { publishCallers } from '../harness/load-shape.ts'
import type { Part, PartContext } from '../part.ts'
import type { ClaimsCommands } from '../processes/claims.ts'
import type { EngineCommands } from '../processes/engine.ts'

const claimLimit = 500
const claims = 20
const sizes = [
  { words: '10 thousand', pending: 10_000 },
  { words: '100 thousand', pending: 100_000 },
  { words: '1 million', pending: 1_000_000 },
  { words: '5 million', pending: 5_000_000 },
]
/** Published as users would; the others are copies of these, so that filling takes minutes and not hours. */
const seed = 10_000
/** Delivered while the snapshot is held. */
const heldRows = 200_000

export const databaseClaims: Part = {
  names: ['claim-cost', 'held-snapshot'],
  on: 'postgres',
  run: measureDatabaseClaims,
}

async function measureDatabaseClaims(context: PartContext): Promise<void> {
  const { quick, stores } = context
  const scale = quick ? 50 : 1
  const names: string[] = []
  await makeSeed(context)
  for (const { words, pending } of sizes) {
    context.say(`filling a store with ${words} deliveries`)
    for (const laterPercent of [0, 90]) {
      const name = `claims-${pending}-${laterPercent}`
      await stores.copy('claims-seed', name)
      await multiply(context, { name, pending: Math.ceil(pending / scale), laterPercent })
      names.push(name)
    }
  }
  await measureSizes(context, names)
  await measureHeldSnapshot(context, 'claims-1000000-0', heldRows / scale)
}

async function makeSeed(context: PartContext): Promise<void> {
  const engine = await context.start<EngineCommands>('engine')
  await engine.call('open', { ...(await context.stores.store('claims-seed')), dispatch: false })
  const target = { uid: 'large', url: 'http://127.0.0.1:9/hook', topic: 'bench.large' }
  await engine.call('addTargets', [{ ...target, maxInFlight: claimLimit }])
  const count = context.quick ? seed / 50 : seed
  await engine.call('publish', { count, callers: publishCallers, topics: ['bench.large'] })
  await engine.call('close')
  await engine.stop()
}

interface Filling {
  readonly name: string
  readonly pending: number
  /** Of all rows, due in a day. */
  readonly laterPercent: number
}

async function multiply({ stores }: PartContext, { name, pending, laterPercent }: Filling): Promise<void> {
  const client = (await stores.server?.connect(name)) as Client
  try {
    await client.query('set search_path to outhook')
    const { rows } = await client.query('select count(*)::integer as n from live_deliveries')
    const copies = Math.ceil(pending / rows[0].n) - 1
    if (copies > 0) {
      // Ids as the product makes them: larger the later.
      await client.query(
        `insert into live_deliveries (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at,
           attempt_count, claim_version, lost_claims, created_at, updated_at)
         select (lpad(to_hex(created_at + copy), 12, '0') || '70008000' ||
                 lpad(to_hex(row_number() over ()), 12, '0'))::uuid,
           tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at,
           attempt_count, claim_version, lost_claims, created_at, updated_at
         from live_deliveries, generate_series(1, $1::integer) copy`,
        [copies],
      )
    }
    await client.query(
      `update live_deliveries set due_at = due_at + 86400000 where ('x' || right(id::text, 7))::bit(28)::integer % 100 < $1`,
      [laterPercent],
    )
    await client.query('vacuum analyze live_deliveries')
  } finally {
    await client.end()
  }
}

async function measureSizes(context: PartContext, names: readonly string[]): Promise<void> {
  const { series, runs, quick, stores } = context
  const store = await context.start<ClaimsCommands>('claims', { profiled: true })
  await store.call('open', await Promise.all(names.map(async (name) => (await stores.store(name)).store)))
  const times = quick ? 2 : claims
  const claimFrom = (index: number) => store.call('claim', { store: index, limit: claimLimit, times })
  for (const index of names.keys()) await claimFrom(index)
  for (let run = 0; run < runs; run++) {
    const costs: number[] = []
    for (const index of names.keys()) {
      const { wallMs, rows } = await claimFrom(index)
      const micros = (wallMs * 1000) / rows
      const size = sizes[index >> 1]?.words
      const later = index % 2 === 0 ? '' : ', 90 % of it due in the future'
      series.add(`claim, µs per row at ${size} pending${later}`, micros)
      costs.push(micros)
    }
    const [few = Number.NaN] = costs
    const overFew = (index: number) => (costs[index] ?? Number.NaN) / few
    series.add('claim cost per row, 1 million pending over 10 thousand', overFew(4))
    series.add('claim cost per row, 5 million pending over 10 thousand', overFew(6))
    series.add('claim cost per row, 5 million pending with 90 % in the future over 10 thousand', overFew(7))
    context.say(`claims: ${costs.map((cost) => cost.toFixed(1)).join(', ')} µs per row`)
  }
  await store.call('close')
  await store.stop()
}

/** Deliveries are claimed and finished while a snapshot sees them all as they were: nothing can be vacuumed. */
async function measureHeldSnapshot(context: PartContext, name: string, rows: number): Promise<void> {
  const { series, stores, longRuns } = context
  const store = await context.start<ClaimsCommands>('claims')
  await store.call('open', [(await stores.store(name)).store])
  const deliver = (count: number) => store.call('deliver', { store: 0, limit: claimLimit, rows: count })
  const sample = Math.ceil(rows / 20)
  await deliver(sample)
  for (let run = 0; run < longRuns; run++) {
    const before = await deliver(sample)
    const holder = (await stores.server?.connect(name)) as Client
    await holder.query('begin isolation level repeatable read')
    await holder.query('select 1 from outhook.live_deliveries limit 1')
    await deliver(rows - sample)
    const held = await deliver(sample)
    await holder.query('rollback')
    await holder.end()
    const micros = ({ claimMs }: { claimMs: number }) => (claimMs * 1000) / sample
    series.add('claim, µs per row before a snapshot is held', micros(before))
    series.add(`claim, µs per row after ${heldRows / 1000} thousand under a held snapshot`, micros(held))
    series.add('claim cost per row under a held snapshot over without', held.claimMs / before.claimMs)
    context.say(`held snapshot: ${micros(before).toFixed(1)}, then ${micros(held).toFixed(1)} µs per row`)
    await stores.server?.query(name, 'vacuum outhook.live_deliveries, outhook.ready_endpoints')
  }
  await store.call('close')
}
