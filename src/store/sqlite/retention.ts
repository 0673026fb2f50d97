/** Retention: the port says what `removeExpired` does. */
import { bytesToId, idPrefixes, idTime, idToBytes, smallestIdAt } from '../../core/ids.ts'
import type { DeliveryState } from '../../core/model.ts'
import type { RemovedRows, Retention } from '../port.ts'
import {
  deadLettersEndedBy,
  keptMs,
  nothingRemoved,
  type RetentionWalk,
  retentionWalks,
  startOverEveryMs,
} from '../retention.ts'
import type { WriteContext } from './write-context.ts'

/** Payload bytes that one call removes, about: to free a large one, SQLite reads all of it. */
const maxPayloadBytes = 8 * 1024 * 1024

/** The last row that was looked at: its id, and in `attempts` its claim version. */
interface Position {
  readonly id: Uint8Array
  readonly version: number
}

/**
 * Where each walk goes on. In memory: a process that starts looks at everything once more, and rows of a call that was
 * undone are left to the next pass.
 */
export type WalkPositions = Map<RetentionWalk, { readonly at: Position; readonly startedAt: number }>

interface Slice {
  readonly after: Position
  /** Ids from here on are too young. */
  readonly before: Uint8Array
  readonly endedBy: number
  readonly deadLettersEndedBy: number
  readonly limit: number
}

interface Walked {
  readonly last: Position
  /** Nothing is left that is old enough. */
  readonly isAtEnd: boolean
  readonly removed: number
}

const start: Position = { id: new Uint8Array(16), version: 0 }

export function removeExpired(
  context: WriteContext,
  { retention, limit }: { readonly retention: Retention; readonly limit: number },
  positions: WalkPositions,
): { readonly removed: RemovedRows; readonly more: boolean } {
  const { now } = context
  const removed: { -readonly [Walk in RetentionWalk]: number } = { ...nothingRemoved }
  let more = false
  let deliveriesEnd = start.id
  for (const walk of retentionWalks) {
    const ageMs = keptMs(walk, retention)
    if (ageMs === 0) continue
    const { at, startedAt } = positions.get(walk) ?? { at: start, startedAt: now }
    const oldEnough = idToBytes(smallestIdAt(idPrefixes.event, now - ageMs + 1))
    const before = walk === 'events' ? deliveriesEnd : oldEnough
    const walked = walks[walk](context, {
      after: at,
      before,
      endedBy: now - ageMs,
      deadLettersEndedBy: deadLettersEndedBy(retention, now),
      limit,
    })
    removed[walk] = walked.removed
    if (walk === 'deliveries') deliveriesEnd = walked.isAtEnd ? before : startOfMillisecond(walked.last.id)
    const startsOver = walked.isAtEnd && now - startedAt >= startOverEveryMs
    positions.set(walk, startsOver ? { at: start, startedAt: now } : { at: walked.last, startedAt })
    more ||= startsOver || !walked.isAtEnd
  }
  return { removed, more }
}

/** Below every id that was made in the same millisecond. */
function startOfMillisecond(id: Uint8Array): Uint8Array {
  return idToBytes(smallestIdAt(idPrefixes.event, idTime(bytesToId(idPrefixes.event, id))))
}

const walks: Readonly<Record<RetentionWalk, (context: WriteContext, slice: Slice) => Walked>> = {
  payloads: removePayloads,
  attempts: removeAttempts,
  deliveries: removeDeliveries,
  events: removeEvents,
}

function removePayloads(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // event_payloads and events by primary key; live_deliveries_event, deliveries_dead_event
      `select p.event_id as id, e.payload_bytes,
         e.state = 'fanned_out' and e.created_at <= ?
         and not exists (select 1 from live_deliveries where event_id = p.event_id)
         and not exists (select 1 from deliveries indexed by deliveries_dead_event
                         where event_id = p.event_id and state = 'dead_lettered' and updated_at > ?) as is_expired
       from event_payloads p cross join events e on e.id = p.event_id
       where p.event_id > ? and p.event_id < ? order by p.event_id limit ?`,
    )
    .all(slice.endedBy, slice.deadLettersEndedBy, slice.after.id, slice.before, slice.limit)
  const remove = context.prepare('delete from event_payloads where event_id = ?')
  let last = slice.after
  let removed = 0
  let bytes = 0
  for (const row of rows) {
    if (bytes >= maxPayloadBytes) return { last, isAtEnd: false, removed }
    last = { id: row.id as Uint8Array, version: 0 }
    if (row.is_expired !== 1) continue
    remove.run(last.id)
    removed += 1
    bytes += row.payload_bytes as number
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

function removeAttempts(context: WriteContext, slice: Slice): Walked {
  const { after, before, endedBy, limit } = slice
  const rows = context
    .prepare(
      // primary key
      `select delivery_id, claim_version, started_at <= ? as is_expired from attempts
       where (delivery_id, claim_version) > (?, ?) and delivery_id < ?
       order by delivery_id, claim_version limit ?`,
    )
    .all(endedBy, after.id, after.version, before, limit)
  const remove = context.prepare('delete from attempts where delivery_id = ? and claim_version = ?')
  let last = after
  let removed = 0
  for (const row of rows) {
    last = { id: row.delivery_id as Uint8Array, version: row.claim_version as number }
    if (row.is_expired !== 1) continue
    remove.run(last.id, last.version)
    removed += 1
  }
  return { last, isAtEnd: rows.length < limit, removed }
}

function removeDeliveries(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // primary key
      `select id, tenant_id, endpoint_id, state,
         updated_at <= ? and (state <> 'dead_lettered' or updated_at <= ?) as is_expired
       from deliveries where id > ? and id < ? order by id limit ?`,
    )
    .all(slice.endedBy, slice.deadLettersEndedBy, slice.after.id, slice.before, slice.limit)
  const remove = context.prepare('delete from deliveries where id = ?')
  const removeTries = context.prepare('delete from attempts where delivery_id = ?')
  let last = slice.after
  let removed = 0
  for (const row of rows) {
    last = { id: row.id as Uint8Array, version: 0 }
    if (row.is_expired !== 1) continue
    remove.run(last.id)
    removeTries.run(last.id)
    removed += 1
    const endpoint = row.endpoint_id as Uint8Array | null
    const owner = {
      tenantId: bytesToId(idPrefixes.tenant, row.tenant_id as Uint8Array),
      endpointId: endpoint === null ? null : bytesToId(idPrefixes.endpoint, endpoint),
    }
    context.counts.add(owner, row.state as DeliveryState, -1)
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}

function removeEvents(context: WriteContext, slice: Slice): Walked {
  const rows = context
    .prepare(
      // primary key; live_deliveries_event, deliveries_event
      `select id, state = 'fanned_out' and created_at <= ?
         and not exists (select 1 from live_deliveries where event_id = e.id)
         and not exists (select 1 from deliveries where event_id = e.id) as is_expired
       from events e where id > ? and id < ? order by id limit ?`,
    )
    .all(slice.endedBy, slice.after.id, slice.before, slice.limit)
  const remove = context.prepare('delete from events where id = ?')
  const removePayload = context.prepare('delete from event_payloads where event_id = ?')
  let last = slice.after
  let removed = 0
  for (const row of rows) {
    last = { id: row.id as Uint8Array, version: 0 }
    if (row.is_expired !== 1) continue
    remove.run(last.id)
    removePayload.run(last.id)
    removed += 1
  }
  return { last, isAtEnd: rows.length < slice.limit, removed }
}
