/**
 * What a delete, disable or enable leaves to do with waiting deliveries, in slices: a million of them must not
 * hold up the writer. `cleanup` on the endpoint or subscription marks what is unfinished; claims recheck, so
 * nothing of it is attempted meanwhile. Deliveries in flight are left to their outcome, or to the next claim.
 */
import { bytesToId, idPrefixes } from '../../core/ids.ts'
import type { LiveState } from '../../core/model.ts'
import { cancelDelivery, parkDelivery, type WaitingRow } from './finish.ts'
import { armReady, rearmReady } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Rows that the change itself deals with, in its own transaction. */
export const firstSliceRows = 1000

interface SliceRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly state: LiveState
  readonly due_at: number | null
}

export function settleConfigChanges(
  context: WriteContext,
  options: { readonly limit: number },
): { readonly more: boolean } {
  let left = options.limit
  while (left > 0) {
    // endpoints_cleanup, subscriptions_cleanup
    const endpoint = context.prepare('select id from endpoints where cleanup is not null limit 1').get()
    const subscription = context
      .prepare('select id from subscriptions where cleanup is not null limit 1')
      .get()
    if (endpoint !== undefined) {
      left -= 1 + settleEndpoint(context, bytesToId(idPrefixes.endpoint, endpoint.id as Uint8Array), left)
    } else if (subscription !== undefined) {
      left -= 1 + settleSubscription(context, subscription.id as Uint8Array, left)
    } else return { more: false }
  }
  const open = context
    .prepare(
      `select 1 from endpoints where cleanup is not null
       union all select 1 from subscriptions where cleanup is not null limit 1`,
    )
    .get()
  return { more: open !== undefined }
}

/** Brings at most `limit` deliveries into line with what the endpoint is now; the number dealt with. */
export function settleEndpoint(context: WriteContext, endpointId: string, limit: number): number {
  const { memory } = context
  const facts = memory.endpoint(endpointId)
  const target = memory.bytes(endpointId)
  let done: number
  if (facts === null || facts.deleted) {
    done = forEachWaiting(context, { target, endpointId, limit }, (row) => cancelDelivery(context, row))
    done += forEachParked(context, { target, endpointId, limit: limit - done }, (row) =>
      cancelDelivery(context, row),
    )
  } else if (facts.disabled) {
    done = forEachWaiting(context, { target, endpointId, limit }, (row) => parkDelivery(context, row))
  } else {
    done = forEachParked(context, { target, endpointId, limit }, (row) => makeDue(context, row.id))
    if (done > 0) armReady(context, memory.bytes(facts.tenantId), endpointId, context.now)
  }
  if (done < limit) context.prepare('update endpoints set cleanup = null where id = ?').run(target)
  if (facts === null || facts.deleted || facts.disabled) rearmReady(context, target)
  return done
}

interface Slice {
  readonly target: Uint8Array
  readonly endpointId: string
  readonly limit: number
}

function forEachWaiting(context: WriteContext, slice: Slice, act: (row: WaitingRow) => void): number {
  const rows = context
    .prepare(
      // live_deliveries_due; the few in flight are passed over
      `select id, tenant_id, state from live_deliveries
       where target_id = ? and due_at is not null and state <> 'in_flight' limit ?`,
    )
    .all(slice.target, slice.limit) as unknown as readonly SliceRow[]
  for (const row of rows) act(toWaiting(row, slice.endpointId))
  return rows.length
}

function forEachParked(context: WriteContext, slice: Slice, act: (row: WaitingRow) => void): number {
  if (slice.limit <= 0) return 0
  const rows = context
    .prepare(
      // live_deliveries_parked
      'select id, tenant_id, state from live_deliveries where target_id = ? and due_at is null order by id limit ?',
    )
    .all(slice.target, slice.limit) as unknown as readonly SliceRow[]
  for (const row of rows) act(toWaiting(row, slice.endpointId))
  return rows.length
}

function makeDue(context: WriteContext, id: Uint8Array): void {
  context
    .prepare('update live_deliveries set due_at = ?, reason = null, updated_at = ? where id = ?')
    .run(context.now, context.now, id)
}

/** How far the scan over an endpoint's deliveries has got: first those with a due time, then the parked ones. */
type ScanCursor =
  | { readonly phase: 'due'; readonly dueAt: number; readonly id: string }
  | { readonly phase: 'parked'; readonly id: string }

export const scanStart: string = JSON.stringify({ phase: 'due', dueAt: 0, id: '' } satisfies ScanCursor)

/**
 * Looks at no more than `limit` deliveries of the subscription's endpoint and cancels those of the subscription.
 * One that moves behind the cursor meanwhile is cancelled by whoever claims or records it.
 */
export function settleSubscription(context: WriteContext, subscription: Uint8Array, limit: number): number {
  const marked = context
    .prepare('select endpoint_id, cleanup from subscriptions where id = ?')
    .get(subscription)
  const endpoint = marked?.endpoint_id as Uint8Array
  const cursor = JSON.parse(marked?.cleanup as string) as ScanCursor
  const endpointId = bytesToId(idPrefixes.endpoint, endpoint)
  const rows = scanEndpoint(context, { endpoint, cursor, limit })
  for (const row of rows) {
    const isMine = row.subscription_id !== null && Buffer.compare(row.subscription_id, subscription) === 0
    if (isMine && row.state !== 'in_flight') cancelDelivery(context, toWaiting(row, endpointId))
  }
  const next = advance(cursor, rows, limit)
  context
    .prepare('update subscriptions set cleanup = ? where id = ?')
    .run(next === null ? null : JSON.stringify(next), subscription)
  return rows.length
}

interface Scan {
  readonly endpoint: Uint8Array
  readonly cursor: ScanCursor
  readonly limit: number
}

function scanEndpoint(context: WriteContext, scan: Scan): readonly SliceRow[] {
  const after = Buffer.from(scan.cursor.id, 'hex')
  const columns = 'id, tenant_id, subscription_id, state, due_at'
  if (scan.cursor.phase === 'due') {
    return context
      .prepare(
        // live_deliveries_due
        `select ${columns} from live_deliveries
         where target_id = ? and due_at is not null and (due_at, id) > (?, ?) order by due_at, id limit ?`,
      )
      .all(scan.endpoint, scan.cursor.dueAt, after, scan.limit) as unknown as readonly SliceRow[]
  }
  return context
    .prepare(
      // live_deliveries_parked
      `select ${columns} from live_deliveries where target_id = ? and due_at is null and id > ? order by id limit ?`,
    )
    .all(scan.endpoint, after, scan.limit) as unknown as readonly SliceRow[]
}

function advance(cursor: ScanCursor, rows: readonly SliceRow[], limit: number): ScanCursor | null {
  const last = rows.at(-1)
  if (rows.length < limit || last === undefined)
    return cursor.phase === 'due' ? { phase: 'parked', id: '' } : null
  const id = Buffer.from(last.id).toString('hex')
  return cursor.phase === 'due' ? { phase: 'due', dueAt: last.due_at ?? 0, id } : { phase: 'parked', id }
}

function toWaiting(row: SliceRow, endpointId: string): WaitingRow {
  return { id: row.id, state: row.state, tenantId: bytesToId(idPrefixes.tenant, row.tenant_id), endpointId }
}
