/**
 * What a delete, disable or enable leaves to do with waiting deliveries, in slices: a million of them must not
 * hold up the writer. `cleanup` on the endpoint or subscription marks what is unfinished; claims recheck, so
 * nothing of it is attempted meanwhile. Deliveries in flight are left to their outcome, or to the next claim.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { LiveState, WaitReason } from '../../../core/model.ts'
import { writeOutWaiting } from '../claim/memory-queue.ts'
import { armReady, rearmReady } from '../claim/ready-endpoints.ts'
import { cancelDelivery } from '../record/finish.ts'
import type { WaitingRow } from '../record/last-result.ts'
import { dissolveLines } from '../record/lines.ts'
import { makeDue, parkDelivery } from '../record/wait.ts'
import { lowestKey } from '../rows/key-space.ts'
import { stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Rows that the change itself deals with, in its own transaction. */
export const firstSliceRows = 1000

interface SliceRow {
  readonly k: number
  readonly tenant: number
  readonly subscription: number | null
  readonly state: number
  readonly due_at: number | null
  /** Read by the scan over a subscription's endpoint only, as its subscription is. */
  readonly reason: WaitReason | null
}

export function applyConfigChanges(
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
      left -=
        1 + applyEndpointChange(context, bytesToId(idPrefixes.endpoint, endpoint.id as Uint8Array), left)
    } else if (subscription !== undefined) {
      left -= 1 + applySubscriptionChange(context, subscription.id as Uint8Array, left)
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
export function applyEndpointChange(context: WriteContext, endpointId: string, limit: number): number {
  const { memory } = context
  writeOutWaiting(context, endpointId)
  const facts = memory.endpoint(endpointId)
  const target = memory.names.numberOf(endpointId)
  let done: number
  if (facts === null || facts.deleted) {
    // Of its lines nobody becomes the head any more.
    done = dissolveAtEndpoint(context, endpointId, limit)
    done += forEachWaiting(context, { target, endpointId, limit: limit - done }, (row) =>
      cancelDelivery(context, row),
    )
    done += forEachParked(context, { target, endpointId, limit: limit - done, reason: null }, (row) =>
      cancelDelivery(context, row),
    )
  } else if (facts.disabled) {
    done = forEachWaiting(context, { target, endpointId, limit }, (row) =>
      parkDelivery(context, row, 'endpoint_disabled'),
    )
  } else {
    // What waits for another reason goes on waiting for it.
    done = forEachParked(context, { target, endpointId, limit, reason: 'endpoint_disabled' }, (row) =>
      makeDue(context, row),
    )
    if (done > 0) armReady(context, memory.bytes(facts.tenantId), endpointId, context.now)
  }
  if (done < limit) {
    context.prepare('update endpoints set cleanup = null where id = ?').run(memory.bytes(endpointId))
  }
  if (facts === null || facts.deleted || facts.disabled) rearmReady(context, endpointId)
  return done
}

interface Slice {
  readonly target: number
  readonly endpointId: string
  readonly limit: number
}

function dissolveAtEndpoint(context: WriteContext, endpointId: string, limit: number): number {
  const rows = context
    .prepare<{ readonly id: Uint8Array; readonly tenant_id: Uint8Array }>(
      // subscriptions_endpoint
      'select id, tenant_id from subscriptions where endpoint_id = ? and ordered = 1',
    )
    .all(context.memory.bytes(endpointId))
  let done = 0
  for (const { id, tenant_id: tenant } of rows) {
    if (done < limit) done += dissolveLines(context, { tenant, subscription: id, limit: limit - done })
  }
  return done
}

function forEachWaiting(context: WriteContext, slice: Slice, act: (row: WaitingRow) => void): number {
  if (slice.limit <= 0) return 0
  const rows = context
    .prepare<SliceRow>(
      // live_deliveries_due
      `select k, tenant, state from live_deliveries
       where target = ? and due_at is not null and state <> 1 limit ?`,
    )
    .all(slice.target, slice.limit)
  for (const row of rows) act(toWaiting(context, row, slice.endpointId))
  return rows.length
}

interface ParkedSlice extends Slice {
  /** Null: for whatever reason. */
  readonly reason: WaitReason | null
}

function forEachParked(context: WriteContext, slice: ParkedSlice, act: (row: WaitingRow) => void): number {
  const { target, limit, reason } = slice
  if (limit <= 0) return 0
  const read = (condition: string, ...values: readonly (number | string)[]) =>
    context
      .prepare<SliceRow>(
        // live_deliveries_parked
        `select k, tenant, state from live_deliveries
         where target = ? and due_at is null and state <> 1 ${condition} limit ?`,
      )
      .all(target, ...values, limit)
  const rows = reason === null ? read('order by reason, k') : read('and reason = ? order by k', reason)
  for (const row of rows) act(toWaiting(context, row, slice.endpointId))
  return rows.length
}

/** How far the scan over an endpoint's deliveries has got: first those with a due time, then the parked ones. */
type ScanCursor =
  | { readonly phase: 'due'; readonly dueAt: number; readonly key: number }
  | { readonly phase: 'parked'; readonly reason: string; readonly key: number }

export const scanStart: string = JSON.stringify({
  phase: 'due',
  dueAt: 0,
  key: lowestKey,
} satisfies ScanCursor)

/**
 * Looks at no more than `limit` deliveries of the subscription's endpoint and cancels those of the subscription.
 * One that moves behind the cursor meanwhile is cancelled by whoever claims or records it.
 */
export function applySubscriptionChange(
  context: WriteContext,
  subscription: Uint8Array,
  limit: number,
): number {
  const marked = context
    .prepare('select tenant_id, endpoint_id, cleanup from subscriptions where id = ?')
    .get(subscription)
  const tenant = marked?.tenant_id as Uint8Array
  const dissolved = dissolveLines(context, { tenant, subscription, limit })
  if (dissolved > 0) return dissolved
  const endpoint = marked?.endpoint_id as Uint8Array
  const cursor = JSON.parse(marked?.cleanup as string) as ScanCursor
  const endpointId = bytesToId(idPrefixes.endpoint, endpoint)
  writeOutWaiting(context, endpointId)
  const rows = scanEndpoint(context, {
    target: context.memory.names.numberOf(endpointId),
    cursor,
    limit,
  })
  const mine = context.memory.names.numberOf(bytesToId(idPrefixes.subscription, subscription))
  for (const row of rows) {
    if (row.subscription === mine) cancelDelivery(context, toWaiting(context, row, endpointId))
  }
  const next = advance(cursor, rows, limit)
  context
    .prepare('update subscriptions set cleanup = ? where id = ?')
    .run(next === null ? null : JSON.stringify(next), subscription)
  return rows.length
}

interface Scan {
  readonly target: number
  readonly cursor: ScanCursor
  readonly limit: number
}

function scanEndpoint(context: WriteContext, { target, cursor, limit }: Scan): readonly SliceRow[] {
  const columns = 'k, tenant, subscription, state, due_at, reason'
  const read = (condition: string, ...values: readonly (number | string)[]) =>
    context
      .prepare<SliceRow>(
        `select ${columns} from live_deliveries where target = ? and state <> 1 and ${condition} limit ?`,
      )
      .all(target, ...values)
  // live_deliveries_parked
  if (cursor.phase === 'parked') {
    const { reason, key } = cursor
    return read('due_at is null and (reason, k) > (?, ?) order by reason, k', reason, key, limit)
  }
  // live_deliveries_due. Together they would read what is due at that moment from its beginning, slice by slice.
  const atOnce = read('due_at = ? and k > ? order by k', cursor.dueAt, cursor.key, limit)
  const later = read('due_at > ? order by due_at, k', cursor.dueAt, limit - atOnce.length)
  return [...atOnce, ...later]
}

function advance(cursor: ScanCursor, rows: readonly SliceRow[], limit: number): ScanCursor | null {
  const last = rows.at(-1)
  if (rows.length < limit || last === undefined)
    return cursor.phase === 'due' ? { phase: 'parked', reason: '', key: lowestKey } : null
  const { k: key, due_at: dueAt, reason } = last
  return cursor.phase === 'due'
    ? { phase: 'due', dueAt: dueAt ?? 0, key }
    : { phase: 'parked', reason: reason ?? '', key }
}

function toWaiting({ memory }: WriteContext, row: SliceRow, endpointId: string): WaitingRow {
  const tenantId = memory.names.idOf(row.tenant, idPrefixes.tenant)
  return { key: row.k, state: stateOf(row.state) as LiveState, tenantId, endpointId }
}
