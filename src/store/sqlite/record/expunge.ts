/** Expunges a payload on demand, and what answers repeat of it. The bytes are overwritten in the file, not only let go of. */
import type { ExpungeResult } from '../../port.ts'
import { isAccepted } from '../publish/large-fan-out.ts'
import { findEvent } from '../read/events.ts'
import { findKey } from '../rows/key-space.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { hasLiveDeliveries } from '../upkeep/retention-walks.ts'

export function expungePayload(context: WriteContext, tenantId: string, eventId: string): ExpungeResult {
  const key = findEvent(context, tenantId, eventId)
  if (key === null) return { kind: 'not_found' }
  const event = context
    .prepare<{ readonly expunged_at: number | null }>('select expunged_at from events where k = ?') // primary key
    .get(key)
  if (event?.expunged_at != null) return { kind: 'expunged', expungedAt: event.expunged_at }
  if (isAccepted(context, key)) return { kind: 'accepted' }
  if (hasLiveDeliveries(context, key)) return { kind: 'live' }
  overwriting(context, () =>
    context
      .prepare(
        // primary key
        `update events set payload = null, expunged_at = ?, request = json_set(request, '$.headers', json('{}'))
         where k = ?`,
      )
      .run(context.now, key),
  )
  return { kind: 'expunged', expungedAt: context.now }
}

export function expungeAnswers(context: WriteContext, deliveryIds: readonly string[]): void {
  const keys = deliveryIds
    .map((id) => findKey(context, 'deliveries', id))
    .filter((key): key is number => key !== null)
  // primary keys. Errors without a status are our own words about the connection; that of a cancelled or skipped one is its reason.
  const deliveries = context.prepare(
    `update deliveries set response_headers = null, response_body = null, response_truncated = null,
       last_error = iif(last_http_status is null or state in (${codeOf('cancelled')}, ${codeOf('skipped')}), last_error, null)
     where k = ?`,
  )
  const attempts = context.prepare(
    `update attempts set response_headers = null, response_body = null, response_truncated = null,
       error = iif(http_status is null, error, null)
     where delivery_k = ?`,
  )
  overwriting(context, () => {
    for (const key of keys) {
      deliveries.run(key)
      attempts.run(key)
    }
  })
}

/** While it runs, SQLite writes zeros over what it lets go of, which costs too much for all that retention removes. */
function overwriting(context: WriteContext, work: () => void): void {
  context.prepare('pragma secure_delete = on').get()
  try {
    work()
  } finally {
    context.prepare('pragma secure_delete = off').get()
  }
}
