/** What a listing of deliveries asks for, as the integers and the SQL of this store. */
import type { SQLInputValue } from 'node:sqlite'
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import { deliveryStates } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import type { DeliveryFilter } from '../../port.ts'
import { findNumber, findTopic } from '../rows/names.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { tenantNumber, timeConditions } from './events.ts'

export interface Wanted {
  readonly tenantId: string
  readonly tenant: number
  readonly filter: DeliveryFilter
  /** Of a subscription its endpoint's, so that no other one's deliveries are looked through. */
  readonly endpoint: number | null
  readonly subscription: number | null
  /** Null without a topic, or when the topic is written out. */
  readonly topic: number | null
}

/** Null: a filter names an id, a state or a topic that is none, so nothing matches. */
export function readFilter(context: ReadContext, tenantId: string, filter: DeliveryFilter): Wanted | null {
  const tenant = tenantNumber(context, tenantId)
  const endpoint = numberOf(context, idPrefixes.endpoint, filter.endpointId)
  const subscription = numberOf(context, idPrefixes.subscription, filter.subscriptionId)
  if (tenant === null || endpoint === 'unknown' || subscription === 'unknown') return null
  if (filter.state !== undefined && !deliveryStates.includes(filter.state)) return null
  const topic = filter.topic === undefined ? null : findTopic(context, filter.topic)
  const whose = endpoint ?? endpointOf(context, filter.subscriptionId)
  return { tenantId, tenant, filter, endpoint: whose, subscription, topic }
}

/** A subscription stays with its endpoint, and its row for as long as its tenant. */
function endpointOf(context: ReadContext, subscriptionId: string | undefined): number | null {
  if (subscriptionId === undefined) return null
  const row = context
    .prepare<{ readonly n: number }>(
      // primary key, names_id
      'select n.n from subscriptions s join names n on n.id = s.endpoint_id where s.id = ?',
    )
    .get(idToBytes(subscriptionId))
  return row?.n ?? null
}

function numberOf(
  context: ReadContext,
  prefix: 'ep' | 'sub',
  id: string | undefined,
): number | null | 'unknown' {
  if (id === undefined) return null
  const bytes = bytesOfId(prefix, id)
  return (bytes === null ? null : findNumber(context, bytes)) ?? 'unknown'
}

/** All but tenant, endpoint and event, as SQL over the alias `d`. */
export function conditionsOf({ filter, subscription, topic }: Wanted) {
  const times = timeConditions(filter)
  const conditions = [times.condition]
  const values: SQLInputValue[] = [...times.values]
  // A literal, so that the partial indexes deliveries_dead and deliveries_cancelled can serve it.
  if (filter.state !== undefined) conditions.push(`and d.state = ${codeOf(filter.state)}`)
  if (filter.errorClass !== undefined) {
    conditions.push('and d.error_class = ?')
    values.push(filter.errorClass)
  }
  if (subscription !== null) {
    conditions.push('and d.subscription = ?')
    values.push(subscription)
  }
  if (filter.topic !== undefined) {
    // A subquery, so that no planner begins at the events of the topic.
    const column = topic === null ? 'topic_text' : 'topic'
    conditions.push(`and (select e.${column} from events e where e.k = d.event_k) = ?`)
    values.push(topic ?? filter.topic)
  }
  return { condition: conditions.join(' '), values }
}
