/**
 * What a delete, disable or enable leaves to do with waiting deliveries, in slices: a million of them must not
 * be one transaction. `cleanup` on the endpoint or subscription marks what is unfinished; claims recheck, so
 * nothing of it is attempted meanwhile. Deliveries in flight are left to their outcome, or to the next claim.
 */
import type { WaitReason } from '../../../core/model.ts'
import { armReady, rearmReady } from '../claim/ready-endpoints.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { dissolveLines, dissolveLinesAt } from '../ordering/dissolve.ts'
import { cancelDeliveries, type Finishing } from '../record/finish.ts'
import {
  type LockedColumns,
  type LockedRow,
  lockedColumns,
  parkDeliveries,
  toLockedRow,
  unparkDeliveries,
} from '../record/wait.ts'
import { uuid } from '../rows/wire-types.ts'

/** Rows that the change itself deals with, in its own transaction. */
export const firstSliceRows = 1000

/** One endpoint or subscription, at most `limit` rows; the caller comes again while there is more. */
export async function applyConfigChanges(
  context: Context,
  options: { readonly limit: number },
): Promise<{ readonly more: boolean }> {
  const [endpoint] = await run(context, unappliedEndpointStatement, {})
  if (endpoint !== undefined) {
    await applyEndpointChange(context, uuid(endpoint.id), options.limit)
    return { more: true }
  }
  const [subscription] = await run(context, unappliedSubscriptionStatement, {})
  if (subscription !== undefined) await applySubscriptionChange(context, uuid(subscription.id), options.limit)
  return { more: subscription !== undefined }
}

const unappliedEndpointStatement = query<{ readonly id: Uint8Array }>()(
  'unapplied_endpoint',
  {},
  // endpoints_cleanup; another node may be at the same work
  'select id from endpoints where cleanup is not null order by id limit 1 for no key update skip locked',
)

const unappliedSubscriptionStatement = query<{ readonly id: Uint8Array }>()(
  'unapplied_subscription',
  {},
  // subscriptions_cleanup
  'select id from subscriptions where cleanup is not null order by id limit 1 for no key update skip locked',
)

interface Facts {
  readonly tenant_id: Uint8Array
  readonly is_disabled: boolean
  readonly is_deleted: boolean
}

/** Brings at most `limit` deliveries into line with what the endpoint is now. Its row is locked by the caller. */
export async function applyEndpointChange(context: Context, endpoint: string, limit: number): Promise<void> {
  const [facts] = await run(context, factsStatement, { endpoint })
  if (facts === undefined) return
  let done: number
  if (facts.is_deleted) {
    // Of its lines nobody becomes the head any more.
    if (await dissolveLinesAt(context, endpoint, limit)) return
    const waiting = await lockWaiting(context, endpoint, limit)
    const parked = await lockParked(context, endpoint, { limit: limit - waiting.length, reason: null })
    await cancelDeliveries(context, [...waiting, ...parked])
    done = waiting.length + parked.length
  } else if (facts.is_disabled) {
    const waiting = await lockWaiting(context, endpoint, limit)
    await parkDeliveries(context, waiting, 'endpoint_disabled')
    done = waiting.length
  } else {
    const parked = await lockParked(context, endpoint, { limit, reason: 'endpoint_disabled' })
    await unparkDeliveries(context, parked)
    if (parked.length > 0)
      await armReady(context, [{ target: endpoint, tenant: uuid(facts.tenant_id), delayMs: 0 }])
    done = parked.length
  }
  if (done < limit) await run(context, appliedStatement, { endpoint })
  if (facts.is_deleted || facts.is_disabled) await rearmReady(context, endpoint)
}

const factsStatement = query<Facts>()(
  'endpoint_change_facts',
  { endpoint: 'uuid' },
  `select tenant_id, disabled_reason is not null as is_disabled, deleted_at is not null as is_deleted
   from endpoints where id = $endpoint`,
)

const appliedStatement = command(
  'applied_endpoint',
  { endpoint: 'uuid' },
  'update endpoints set cleanup = null where id = $endpoint',
)

/** A row that a claim holds is passed over: the claim rechecks it. */
async function lockWaiting(context: Context, target: string, limit: number): Promise<readonly LockedRow[]> {
  const rows = await run(context, lockWaitingStatement, { target, limit })
  return rows.map(toLockedRow)
}

const lockWaitingStatement = query<LockedColumns>()(
  'lock_waiting',
  { target: 'uuid', limit: 'bigint' },
  // live_deliveries_due
  `select ${lockedColumns} from live_deliveries l
   where target_id = $target and due_at is not null and state <> 'in_flight' order by due_at, id limit $limit
   for update of l skip locked`,
)

interface Parked {
  readonly limit: number
  /** Null: for whatever reason. */
  readonly reason: WaitReason | null
}

async function lockParked(
  context: Context,
  target: string,
  { limit, reason }: Parked,
): Promise<readonly LockedRow[]> {
  if (limit <= 0) return []
  const rows = await (reason === null
    ? run(context, lockParkedStatement, { target, limit })
    : run(context, lockParkedForStatement, { target, limit, reason }))
  return rows.map(toLockedRow)
}

// live_deliveries_parked
const lockParkedStatement = query<LockedColumns>()(
  'lock_parked',
  { target: 'uuid', limit: 'bigint' },
  `select ${lockedColumns} from live_deliveries l
   where target_id = $target and due_at is null and state <> 'in_flight'
   order by reason, id limit $limit for update of l`,
)

const lockParkedForStatement = query<LockedColumns>()(
  'lock_parked_for',
  { target: 'uuid', limit: 'bigint', reason: 'text' },
  `select ${lockedColumns} from live_deliveries l
   where target_id = $target and due_at is null and state <> 'in_flight' and reason = $reason
   order by id limit $limit for update of l`,
)

/** How far the scan over an endpoint's deliveries has got: first those with a due time, then the parked ones. */
type ScanCursor =
  | { readonly phase: 'due'; readonly dueAt: number; readonly id: string }
  | { readonly phase: 'parked'; readonly reason: string; readonly id: string }

const lowestId = '00000000000000000000000000000000'

export const scanStart: string = JSON.stringify({ phase: 'due', dueAt: 0, id: lowestId } satisfies ScanCursor)

interface ScannedRow {
  readonly id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly reason: WaitReason | null
  readonly due_at: number | null
}

/**
 * Looks at no more than `limit` deliveries of the subscription's endpoint and cancels those of the subscription.
 * One that moves behind the cursor meanwhile is cancelled by whoever claims or records it. False: it is done.
 */
export async function applySubscriptionChange(
  context: Context,
  subscription: string,
  limit: number,
): Promise<{ readonly scanned: number; readonly isDone: boolean }> {
  const [marked] = await run(context, markedStatement, { subscription })
  if (marked === undefined || marked.cleanup === null) return { scanned: 0, isDone: true }
  if (await dissolveLines(context, subscription, limit)) return { scanned: limit, isDone: false }
  const cursor = JSON.parse(marked.cleanup) as ScanCursor
  const rows = await scanEndpoint(context, { endpoint: uuid(marked.endpoint_id), cursor, limit })
  const mine = rows.filter(
    (row) => row.subscription_id !== null && uuid(row.subscription_id) === subscription,
  )
  const cancellable = await lockNotInFlight(context, mine)
  await cancelDeliveries(context, cancellable)
  const next = advance(cursor, rows, limit)
  await run(context, movedStatement, { subscription, cleanup: next === null ? null : JSON.stringify(next) })
  return { scanned: rows.length, isDone: next === null }
}

const markedStatement = query<{ readonly endpoint_id: Uint8Array; readonly cleanup: string | null }>()(
  'subscription_change_facts',
  { subscription: 'uuid' },
  'select endpoint_id, cleanup from subscriptions where id = $subscription',
)

const movedStatement = command(
  'applied_subscription',
  { subscription: 'uuid', cleanup: 'text' },
  'update subscriptions set cleanup = $cleanup where id = $subscription',
)

async function lockNotInFlight(context: Context, rows: readonly ScannedRow[]): Promise<readonly Finishing[]> {
  if (rows.length === 0) return []
  const locked = await run(context, lockIdleStatement, { ids: rows.map((row) => uuid(row.id)) })
  return locked.map(({ id, line }) => ({ id: uuid(id), line }))
}

const lockIdleStatement = query<{ readonly id: Uint8Array; readonly line: number | null }>()(
  'lock_not_in_flight',
  { ids: 'uuid[]' },
  // primary key, in key order
  `select id, line from live_deliveries where id = any ($ids) and state <> 'in_flight'
   order by id for update skip locked`,
)

interface Scan {
  readonly endpoint: string
  readonly cursor: ScanCursor
  readonly limit: number
}

function scanEndpoint(context: Context, { endpoint, cursor, limit }: Scan): Promise<readonly ScannedRow[]> {
  return cursor.phase === 'due'
    ? run(context, scanDueStatement, { endpoint, due_at: cursor.dueAt, id: cursor.id, limit })
    : run(context, scanParkedStatement, { endpoint, reason: cursor.reason, id: cursor.id, limit })
}

const scanDueStatement = query<ScannedRow>()(
  'scan_due',
  { endpoint: 'uuid', due_at: 'bigint', id: 'uuid', limit: 'bigint' },
  // live_deliveries_due
  `select id, subscription_id, reason, due_at from live_deliveries
   where target_id = $endpoint and due_at is not null and state <> 'in_flight' and (due_at, id) > ($due_at, $id)
   order by due_at, id limit $limit`,
)

const scanParkedStatement = query<ScannedRow>()(
  'scan_parked',
  { endpoint: 'uuid', reason: 'text', id: 'uuid', limit: 'bigint' },
  // live_deliveries_parked
  `select id, subscription_id, reason, due_at from live_deliveries
   where target_id = $endpoint and due_at is null and state <> 'in_flight' and (reason, id) > ($reason, $id)
   order by reason, id limit $limit`,
)

function advance(cursor: ScanCursor, rows: readonly ScannedRow[], limit: number): ScanCursor | null {
  const last = rows.at(-1)
  if (rows.length < limit || last === undefined) {
    return cursor.phase === 'due' ? { phase: 'parked', reason: '', id: lowestId } : null
  }
  const id = uuid(last.id)
  return cursor.phase === 'due'
    ? { phase: 'due', dueAt: last.due_at ?? 0, id }
    : { phase: 'parked', reason: last.reason ?? '', id }
}
