/** One delivery, by its key or its id, in whichever table it is. */
import { idPrefixes, idTime } from '../../../core/ids.ts'
import type { Delivery, DeliveryState } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import { type DeliveryRow, type LiveDeliveryRow, toFinishedDelivery, toLiveDelivery } from '../../rows.ts'
import { findKey, keyAt } from '../rows/key-space.ts'
import { stateOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { findHandedOff, handedOff, idOf, toLiveRow } from './handed-off.ts'

const commonColumns = `d.k, d.id, tn.id as tenant_id, coalesce(e.id, zeroblob(16)) as event_id, sn.id as subscription_id,
  en.id as endpoint_id, gn.id as target_id, d.state, d.attempt_count, d.claim_version, d.last_http_status, d.error_class,
  d.last_error, e.ordering_key, d.created_at, d.updated_at, coalesce(t.topic, e.topic_text) as topic`

const commonJoins = `left join events e on e.k = d.event_k
  left join topics t on t.n = e.topic
  left join names tn on tn.n = d.tenant
  left join names sn on sn.n = d.subscription
  left join names en on en.n = d.endpoint
  left join names gn on gn.n = coalesce(d.target, d.endpoint)`

// primary keys
const finishedSql = `select ${commonColumns} from deliveries d ${commonJoins} where d.k = ?`

const liveSql = `select ${commonColumns}, d.due_at, d.reason, ep.disabled_reason, s.paused_until, s.probe_until,
    b.limited_until
  from live_deliveries d ${commonJoins}
  left join endpoints ep on ep.id = en.id
  left join endpoint_state s on s.target_id = gn.id
  left join endpoint_shares b on b.target_id = gn.id
  where d.k = ?`

type Coded<Row extends { readonly state: DeliveryState }> = Omit<Row, 'state'> & { readonly state: number }

/** By its key, in whichever table it is; null: in none. */
export function readDelivery(context: ReadContext, key: number): Delivery | null {
  const finished = readFinished(context, key)
  if (finished !== null) return toFinishedDelivery(finished)
  const live = context.prepare<Coded<LiveDeliveryRow>>(liveSql).get(key)
  if (live !== undefined) return toLiveDelivery({ ...live, state: stateOf(live.state) }, context.now)
  const leased = findHandedOff(context, key)
  return leased === null ? null : toLiveDelivery(toLiveRow(context, leased), context.now)
}

export function readFinished(context: ReadContext, key: number): DeliveryRow | null {
  const row = context.prepare<Coded<DeliveryRow>>(finishedSql).get(key)
  return row === undefined ? null : { ...row, state: stateOf(row.state) }
}

export function getDelivery(context: ReadContext, tenantId: string, id: string): Delivery | null {
  const key = findDelivery(context, id)
  const delivery = key === null ? null : readDelivery(context, key)
  return delivery?.tenantId === tenantId ? delivery : null
}

/** The key of a delivery, in whichever table it is. */
export function findDelivery(context: ReadContext, id: string): number | null {
  if (bytesOfId(idPrefixes.delivery, id) === null) return null
  const key = findKey(context, 'deliveries', id) ?? findKey(context, 'live_deliveries', id)
  if (key !== null) return key
  const bounds = { from: keyAt(idTime(id)), before: Number.MAX_SAFE_INTEGER }
  for (const leased of handedOff(context, bounds)) if (idOf(leased) === id) return leased.lease.key
  return null
}
