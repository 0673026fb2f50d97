import { idToBytes } from '../../../core/ids.ts'
import type { Attempt } from '../../../core/model.ts'
import { type AttemptRow, toAttempt } from '../../rows.ts'
import type { ReadContext } from './context.ts'
import { findDelivery } from './one-delivery.ts'

interface AttemptOptions {
  readonly withCapture: boolean
}

export function listAttempts(
  context: ReadContext,
  deliveryIds: readonly string[],
  options: AttemptOptions,
): readonly Attempt[] {
  return [...deliveryIds].sort().flatMap((id) => {
    const key = findDelivery(context, id)
    return key === null ? [] : attemptsOf(context, { key, id }, options)
  })
}

/** The one that succeeded is in the delivery's row, those that failed in `attempts`. */
function attemptsOf(
  context: ReadContext,
  { key, id }: { readonly key: number; readonly id: string },
  { withCapture }: AttemptOptions,
): readonly Attempt[] {
  const capture = withCapture
    ? 'response_headers, response_body, response_truncated'
    : 'null as response_headers, null as response_body, null as response_truncated'
  const failed = context
    .prepare<Omit<AttemptRow, 'delivery_id'>>(
      // primary key
      `select claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at, ${capture}
       from attempts where delivery_k = ? order by claim_version`,
    )
    .all(key)
  const succeeded = context
    .prepare<Omit<AttemptRow, 'delivery_id'>>(
      // primary key
      `select claim_version, attempt_count as attempt_no, 'success' as status, last_http_status as http_status,
         error_class, last_error as error, latency_ms, started_at, ${capture}
       from deliveries where k = ? and started_at is not null`,
    )
    .all(key)
  const bytes = idToBytes(id)
  return [...failed, ...succeeded].map((row) => toAttempt({ ...row, delivery_id: bytes }))
}
