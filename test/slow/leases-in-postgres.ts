/** Looks beside the nodes into their database. */
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { bytesToId, idPrefixes } from '../../src/core/ids.ts'

/** A delivery and a claim version, such as `dlv_….3`. */
export type LeaseId = string

export function leaseId(deliveryId: string, claimVersion: number): LeaseId {
  return `${deliveryId}.${claimVersion}`
}

export interface DatabaseView {
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Leased and without a recorded outcome, also where the lease has ended and nobody has claimed anew. */
  leases(): Promise<ReadonlySet<LeaseId>>
  /** Of these leases, those without a recorded attempt. */
  unrecorded(leases: Iterable<LeaseId>): Promise<ReadonlySet<LeaseId>>
}

/** Closed with the running test. Outlasts restarts of the server. */
export function openDatabaseView(url: string, schema = 'outhook'): DatabaseView {
  const pool = new pg.Pool({ connectionString: url, max: 2, options: `-c search_path=${schema}` })
  pool.on('error', () => {})
  onTestFinished(() => pool.end())
  const sql = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await pool.query<Row>(text, [...values])).rows
  const readIds = async (text: string): Promise<Set<LeaseId>> => {
    const rows = await sql<{ readonly id: string; readonly claim_version: number }>(text)
    return new Set(rows.map((row) => leaseId(deliveryIdOf(row.id), row.claim_version)))
  }
  return {
    sql,
    leases: () => readIds(standingLeases),
    async unrecorded(leases) {
      const recorded = await readIds(recordedAttempts)
      return new Set([...leases].filter((lease) => !recorded.has(lease)))
    },
  }
}

/** Those that were claimed are in flight in a row of their own; those that were handed off have none yet. */
const standingLeases = `
  select id, claim_version from live_deliveries where state = 'in_flight'
  union all
  select l.id, l.claim_version
  from handoffs h cross join lateral unnest(h.delivery_ids, h.event_ids, h.claim_versions) as l (id, event_id, claim_version)
  where l.event_id is not null
    and not exists (select from deliveries d where d.id = l.id) and not exists (select from live_deliveries d where d.id = l.id)`

/** Those that succeeded stand in the rows of their deliveries. */
const recordedAttempts = `
  select delivery_id as id, claim_version from attempts
  union all
  select id, claim_version from deliveries where started_at is not null`

/** PostgreSQL writes ids as `uuid`. */
function deliveryIdOf(uuid: string): string {
  return bytesToId(idPrefixes.delivery, Buffer.from(uuid.replaceAll('-', ''), 'hex'))
}
