/** The rows of deliveries as SQL selects them, from the places where they stand. */
import type { Delivery } from '../../../core/model.ts'
import { type LiveDeliveryRow, toFinishedDelivery, toLiveDelivery } from '../../rows.ts'
import { everyNode } from '../claim/rate-buckets.ts'
import { now } from '../connection/statement.ts'
import { handOffLeases } from './handed-off.ts'

/** Of a row `d` whose event is `e`. A target that is not named is the endpoint. */
export const commonColumns = `d.id, d.tenant_id, d.event_id, d.subscription_id, d.endpoint_id,
  coalesce(d.target_id, d.endpoint_id) as target_id, d.state, d.attempt_count, d.claim_version, d.last_http_status,
  d.error_class, d.last_error, e.ordering_key, d.created_at, d.updated_at, e.topic`

/** SQL: by its key whatever is known of the table. */
export const itsEvent = `left join lateral (select topic, ordering_key from events v where v.id = d.event_id limit 1) e on true`

export const fromLive = `select ${commonColumns}, true as is_live, d.due_at, d.reason, ep.disabled_reason, s.paused_until,
    s.probe_until, b.limited_until
  from live_deliveries d
  ${itsEvent}
  left join endpoints ep on ep.id = d.endpoint_id
  left join endpoint_state s on s.target_id = d.target_id
  left join endpoint_shares b on b.target_id = d.target_id and b.node_id = '${everyNode}'`

const nothingLive = `null::bigint as due_at, null::text as reason, null::text as disabled_reason,
  null::bigint as paused_until, null::bigint as probe_until, null::bigint as limited_until`

export const fromFinished = (
  rows = 'deliveries',
) => `select ${commonColumns}, false as is_live, ${nothingLive}
  from ${rows} d ${itsEvent}`

/** SQL: those that stand only in `handoffs`, from rows of `handedOffColumns`. */
export const fromHandedOff = (rows: string) => `select d.*, true as is_live, ${nothingLive} from (${rows}) d`

export type EitherRow = LiveDeliveryRow & { readonly is_live: boolean; readonly now: number }

/** One statement over all places, since a row may be on its way from one to another. */
export function inOneMoment(parts: readonly string[], end: string): string {
  return `select t.*, ${now} as now from (${parts.join(' union all ')}) t ${end}`
}

export function toDelivery(row: EitherRow): Delivery {
  return row.is_live ? toLiveDelivery(row, row.now) : toFinishedDelivery(row)
}

/** SQL: of the event `$event`. */
export const leasesOfEvent = `${handOffLeases} and $event = any (h.event_ids) and l.event_id = $event`
