/** Whether expunged payloads are gone with all that answers repeat of them. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type Finding, judgeExpunged } from '../../finding.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { rangesOf } from '../publish/large-fan-out.ts'
import { unpackFanOut } from '../rows/fan-out.ts'

interface Expunged {
  readonly k: number
  readonly id: Uint8Array
  readonly fan_out: Uint8Array
}

export function checkExpunged(context: PreparesStatements): readonly Finding[] {
  // A schema from before has none.
  const known = context.prepare(`select 1 from sqlite_master where name = 'events_expunged'`).get()
  if (known === undefined) return []
  const events = context
    .prepare<Expunged>('select k, id, fan_out from events where expunged_at is not null') // events_expunged
    .all()
  const left = events.filter((event) => hasAnswers(context, event))
  return judgeExpunged(
    events.length,
    left.map(({ id }) => bytesToId(idPrefixes.event, id)),
  )
}

/** Of a delivery its own row, or one of its attempts. */
function hasAnswers(context: PreparesStatements, { k, fan_out: fanOut }: Expunged): boolean {
  // primary keys
  const answered = context.prepare(
    `select 1 from deliveries d where d.k >= ? and d.k <= ? and d.event_k = ? and (d.response_headers is not null
       or exists (select 1 from attempts a where a.delivery_k = d.k and a.response_headers is not null)) limit 1`,
  )
  const ranges = rangesOf(context, k)
  const listed = ranges.length > 0 ? [] : unpackFanOut(fanOut).map(({ key }) => ({ first: key, last: key }))
  return [...ranges, ...listed].some(({ first, last }) => answered.get(first, last, k) !== undefined)
}
