/** One slice of each walk of retention, upwards by key. */
import { idPrefixes } from '../../../core/ids.ts'
import type { RetentionWalk } from '../../retention.ts'
import { isAccepted, type KeyRange, rangesOf } from '../publish/large-fan-out.ts'
import { findBlocked, takeOut } from '../record/lines.ts'
import { forgetHealth } from '../record/target-health.ts'
import { deliveryId, type FanOutEntry, unpackFanOut } from '../rows/fan-out.ts'
import { lowestKey } from '../rows/key-space.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Payload bytes that one call removes, about: to free a large one, SQLite reads all of it. */
const maxPayloadBytes = 8 * 1024 * 1024

/** The last row that was looked at: its key, and in `attempts` its claim version. */
export interface Position {
  readonly key: number
  readonly version: number
}

export const start: Position = { key: lowestKey, version: 0 }

export interface Slice {
  /** SQL: whether the tenant with the number in this column is of the class, whose key is the parameter. */
  readonly isMine: (column: string) => string
  readonly key: string | null
  readonly after: Position
  /** Keys from here on are too young. */
  readonly before: number
  readonly endedBy: number
  readonly deadLettersEndedBy: number
  readonly limit: number
}

export interface Walked {
  readonly last: Position
  /** Nothing is left that is old enough. */
  readonly isAtEnd: boolean
  readonly removed: number
}

export const walks: Readonly<Record<RetentionWalk, (context: WriteContext, slice: Slice) => Walked>> = {
  payloads: removePayloads,
  attempts: removeAttempts,
  successes: removeSuccesses,
  deliveries: removeDeliveries,
  events: removeEvents,
}

function removePayloads(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // primary key
      `select k, payload_bytes, payload is not null and created_at <= ? and ${slice.isMine('tenant')} as is_old
       from events where k > ? and k < ? order by k limit ?`,
    )
    .all(slice.endedBy, slice.key, slice.after.key, slice.before, slice.limit)
  const remove = context.prepare('update events set payload = null where k = ?')
  let last = slice.after
  let removed = 0
  let bytes = 0
  for (const row of rows) {
    if (bytes >= maxPayloadBytes) return { last, isAtEnd: false, removed }
    last = { key: row.k as number, version: 0 }
    if (row.is_old !== 1 || needsPayload(context, last.key, slice.deadLettersEndedBy)) continue
    remove.run(last.key)
    removed += 1
    bytes += row.payload_bytes as number
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

/** One of its deliveries is live, or a dead letter that can be replayed. */
function needsPayload(context: WriteContext, eventKey: number, deadLettersEndedBy: number): boolean {
  const ranges = rangesOf(context, eventKey)
  if (ranges.length > 0 || isAccepted(context, eventKey)) {
    return (
      hasLive(context, eventKey, ranges) ||
      ranges.some(({ first, last }) =>
        hasDead(context, { eventKey, first, last, endedAfter: deadLettersEndedBy }),
      )
    )
  }
  const dead = context.prepare('select 1 from deliveries where k = ? and state = ? and updated_at > ?') // primary key
  return deliveriesOf(context, eventKey).some(
    (entry) =>
      isLive(context, entry) ||
      dead.get(entry.key, codeOf('dead_lettered'), deadLettersEndedBy) !== undefined,
  )
}

/** Whether one of its deliveries is still to be made, or has not come to an end. */
export function hasLiveDeliveries(context: WriteContext, eventKey: number): boolean {
  const ranges = rangesOf(context, eventKey)
  if (ranges.length > 0 || isAccepted(context, eventKey)) return hasLive(context, eventKey, ranges)
  return deliveriesOf(context, eventKey).some((entry) => isLive(context, entry))
}

/** Of an event for many: some are still to be made, or are live. None of them was handed off, so each has a row. */
function hasLive(context: WriteContext, eventKey: number, ranges: readonly KeyRange[]): boolean {
  const live = context.prepare(
    'select 1 from live_deliveries where k >= ? and k <= ? and event_k = ? limit 1',
  ) // primary key
  return (
    isAccepted(context, eventKey) ||
    ranges.some(({ first, last }) => live.get(first, last, eventKey) !== undefined)
  )
}

interface DeadRange extends KeyRange {
  readonly eventKey: number
  readonly endedAfter: number
}

function hasDead(context: WriteContext, { eventKey, first, last, endedAfter }: DeadRange): boolean {
  const dead = context
    .prepare(
      // deliveries_dead
      `select 1 from deliveries
       where tenant = (select tenant from events where k = ?) and state = ${codeOf('dead_lettered')}
         and k >= ? and k <= ? and event_k = ? and updated_at > ? limit 1`,
    )
    .get(eventKey, first, last, eventKey, endedAfter)
  return dead !== undefined
}

function deliveriesOf(context: WriteContext, eventKey: number): readonly FanOutEntry[] {
  const row = context.prepare('select fan_out from events where k = ?').get(eventKey) // primary key
  return unpackFanOut(row?.fan_out as Uint8Array)
}

function isLive(context: WriteContext, entry: FanOutEntry): boolean {
  const waiting = context.prepare('select 1 from live_deliveries where k = ?').get(entry.key) // primary key
  return waiting !== undefined || context.memory.leases.has(deliveryId(entry))
}

function removeAttempts(context: WriteContext, slice: Slice): Walked {
  const { after, before, endedBy, limit } = slice
  const tenant = `coalesce((select tenant from deliveries where k = delivery_k),
    (select tenant from live_deliveries where k = delivery_k))`
  const rows = context
    .prepare(
      // primary key
      `select delivery_k, claim_version, started_at <= ? and ${slice.isMine(tenant)} as is_expired from attempts
       where (delivery_k, claim_version) > (?, ?) and delivery_k < ?
       order by delivery_k, claim_version limit ?`,
    )
    .all(endedBy, slice.key, after.key, after.version, before, limit)
  const remove = context.prepare('delete from attempts where delivery_k = ? and claim_version = ?')
  let last = after
  let removed = 0
  for (const row of rows) {
    last = { key: row.delivery_k as number, version: row.claim_version as number }
    if (row.is_expired !== 1) continue
    remove.run(last.key, last.version)
    removed += 1
  }
  return { last, isAtEnd: rows.length < limit, removed }
}

/** Attempts that are kept in the rows of their deliveries. */
function removeSuccesses(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // primary key
      `select k, started_at <= ? and ${slice.isMine('tenant')} as is_expired
       from deliveries where k > ? and k < ? order by k limit ?`,
    )
    .all(slice.endedBy, slice.key, slice.after.key, slice.before, slice.limit)
  const remove = context.prepare(
    `update deliveries set started_at = null, latency_ms = null, response_headers = null, response_truncated = null,
       response_body = null
     where k = ?`,
  )
  let last = slice.after
  let removed = 0
  for (const row of rows) {
    last = { key: row.k as number, version: 0 }
    if (row.is_expired !== 1) continue
    remove.run(last.key)
    removed += 1
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

function removeDeliveries(context: WriteContext, slice: Slice): Walked {
  const leasedSince = context.memory.leases.oldestGrantAt()
  const endedBy = leasedSince === null ? slice.endedBy : Math.min(slice.endedBy, leasedSince - 1)
  const rows = context
    .prepare(
      // primary key
      `select k, tenant, endpoint, target, state,
         updated_at <= ? and (state <> ${codeOf('dead_lettered')} or updated_at <= ?)
           and ${slice.isMine('tenant')} as is_expired
       from deliveries where k > ? and k < ? order by k limit ?`,
    )
    .all(endedBy, slice.deadLettersEndedBy, slice.key, slice.after.key, slice.before, slice.limit)
  const remove = context.prepare('delete from deliveries where k = ?')
  const removeTries = context.prepare('delete from attempts where delivery_k = ?')
  const removeSkip = context.prepare('delete from skipped_heads where k = ?')
  const { names } = context.memory
  let last = slice.after
  let removed = 0
  for (const row of rows) {
    last = { key: row.k as number, version: 0 }
    if (row.is_expired !== 1) continue
    remove.run(last.key)
    removeTries.run(last.key)
    removed += 1
    if (row.state === codeOf('dead_lettered')) unblock(context, last.key)
    if (row.state === codeOf('skipped')) removeSkip.run(last.key)
    if (row.target !== null) forgetOrigin(context, row.target as number)
    const endpoint = row.endpoint as number | null
    const owner = {
      tenantId: names.idOf(row.tenant as number, idPrefixes.tenant),
      endpointId: endpoint === null ? null : names.idOf(endpoint, idPrefixes.endpoint),
    }
    context.counts.add(owner, stateOf(row.state as number), -1)
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

/**
 * An origin, which a target that is named is, is deleted by nobody. What was learnt of it goes with its last traces.
 */
function forgetOrigin(context: WriteContext, target: number): void {
  const { memory, now } = context
  const targetId = memory.names.idOf(target, idPrefixes.endpoint)
  const known = memory.health(targetId)
  if (known === null || (known.health.pausedUntil ?? 0) > now) return
  const isInUse =
    memory.leases.waitingAt(targetId).size > 0 ||
    memory.leases.earliestEnd(targetId) !== null ||
    // live_deliveries_due, live_deliveries_parked
    context
      .prepare(
        `select 1 from live_deliveries where target = ? and due_at is not null and state <> 1
         union all select 1 from live_deliveries where target = ? and due_at is null and state <> 1 limit 1`,
      )
      .get(target, target) !== undefined
  if (!isInUse) forgetHealth(context, targetId)
}

/** Nobody can replay or skip it any more. */
function unblock(context: WriteContext, key: number): void {
  const line = findBlocked(context, key)
  if (line !== null) takeOut(context, line, key)
}

function removeEvents(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // primary key
      `select k, created_at <= ? and ${slice.isMine('tenant')} as is_old
       from events where k > ? and k < ? order by k limit ?`,
    )
    .all(slice.endedBy, slice.key, slice.after.key, slice.before, slice.limit)
  const remove = context.prepare('delete from events where k = ?')
  const removeRanges = context.prepare('delete from fan_out_ranges where event_k = ?')
  let last = slice.after
  let removed = 0
  for (const row of rows) {
    last = { key: row.k as number, version: 0 }
    if (row.is_old !== 1) continue
    if (hasDeliveries(context, last.key)) continue
    remove.run(last.key)
    removeRanges.run(last.key)
    removed += 1
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

function hasDeliveries(context: WriteContext, eventKey: number): boolean {
  const ranges = rangesOf(context, eventKey)
  if (ranges.length > 0 || isAccepted(context, eventKey)) {
    const finished = context.prepare(
      'select 1 from deliveries where k >= ? and k <= ? and event_k = ? limit 1',
    ) // primary key
    return (
      hasLive(context, eventKey, ranges) ||
      ranges.some(({ first, last }) => finished.get(first, last, eventKey) !== undefined)
    )
  }
  const finished = context.prepare('select 1 from deliveries where k = ?') // primary key
  return deliveriesOf(context, eventKey).some(
    (entry) => isLive(context, entry) || finished.get(entry.key) !== undefined,
  )
}
