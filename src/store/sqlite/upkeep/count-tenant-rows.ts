/** What there is of a deleted tenant, counted before it goes, so that its removal has a total. */
import { advanceCount, countedPerRow, type RemovalState, type RemovalStep } from '../../tenant-removal.ts'
import { lowestKey } from '../rows/key-space.ts'
import type { WriteContext } from '../threads/write-context.ts'

interface Counted {
  readonly bytes: Uint8Array
  /** As it stands in the large tables. */
  readonly number: number
  readonly state: RemovalState
  readonly limit: number
}

export function countRows(context: WriteContext, { bytes, number, state, limit }: Counted): RemovalStep {
  if (state.total !== null) return null
  const { counting } = state
  if (counting === null) {
    const others = context
      .prepare<{ readonly endpoints: number; readonly deliveries: number }>(
        // endpoints_tenant; primary key
        `select (select count(*) from endpoints where tenant_id = ?) as endpoints,
           (select coalesce(sum(delta), 0) from delivery_counts where tenant_id = ?) as deliveries`,
      )
      .get(bytes, bytes) ?? { endpoints: 0, deliveries: 0 }
    return { counting: { ...others, events: 0, topic: null, key: lowestKey } }
  }
  const { topic, key } = counting
  const most = limit * countedPerRow
  const rows = context
    .prepare<{ readonly topic: number | null; readonly k: number }>(
      // events_topic
      topic === null
        ? `select topic, k from events where tenant = ? and topic is null and k > ? order by k limit ?`
        : `select topic, k from events where tenant = ? and (topic, k) > (?, ?) order by topic, k limit ?`,
    )
    .all(...(topic === null ? [number, key, most] : [number, topic, key, most]))
  const last = rows.at(-1)
  const counted = {
    events: rows.length,
    topic: last?.topic ?? topic,
    key: last?.k ?? key,
    isEnd: rows.length < most,
  }
  return advanceCount(state, counted, { topic: -1, key: lowestKey })
}
