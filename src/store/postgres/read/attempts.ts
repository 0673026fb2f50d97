import { idPrefixes } from '../../../core/ids.ts'
import type { Attempt } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import { type AttemptRow, toAttempt } from '../../rows.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { attemptColumns } from '../rows/columns.ts'
import { uuid } from '../rows/wire-types.ts'

export async function listAttempts(
  context: Context,
  deliveryIds: readonly string[],
  options: { readonly withCapture: boolean },
): Promise<readonly Attempt[]> {
  const ids = deliveryIds.flatMap((id) => bytesOfId(idPrefixes.delivery, id) ?? [])
  if (ids.length === 0) return []
  const statement = options.withCapture ? wholeStatement : plainStatement
  const rows = await run(context, statement, { ids: ids.map(uuid) })
  return rows.map(toAttempt)
}

const noCapture =
  'null::text as response_headers, null::bytea as response_body, null::boolean as response_truncated'

/** The one that succeeded is in the delivery's row, those that failed in `attempts`. */
const successes = (capture: string) => `
  select id as delivery_id, claim_version, attempt_count as attempt_no, 'success' as status,
    last_http_status as http_status, error_class, last_error as error, latency_ms, started_at, ${capture}
  from deliveries where id = any ($ids) and started_at is not null`

// primary keys
const wholeStatement = query<AttemptRow>()(
  'list_attempts_whole',
  { ids: 'uuid[]' },
  `select ${attemptColumns} from attempts where delivery_id = any ($ids)
   union all ${successes('response_headers, response_body, response_truncated')}
   order by delivery_id, claim_version`,
)

const plainStatement = query<AttemptRow>()(
  'list_attempts',
  { ids: 'uuid[]' },
  `select delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
     ${noCapture} from attempts where delivery_id = any ($ids)
   union all ${successes(noCapture)}
   order by delivery_id, claim_version`,
)
