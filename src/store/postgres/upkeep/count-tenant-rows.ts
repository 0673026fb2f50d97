/** What there is of a deleted tenant, counted before it goes, so that its removal has a total. */
import { advanceCount, countedPerRow, type RemovalStep } from '../../tenant-removal.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'
import type { Removed } from './remove-tenant-rows.ts'

const lowestId = '00000000-0000-0000-0000-000000000000'

export async function countRows(context: Context, { tenant, state, limit }: Removed): Promise<RemovalStep> {
  if (state.total !== null) return null
  const { counting } = state
  if (counting === null) {
    const [others] = await run(context, countOthersStatement, { tenant })
    return { counting: { ...(others ?? nothing), events: 0, topic: null, key: lowestId } }
  }
  const topic = counting.topic === null ? null : String(counting.topic)
  const key = String(counting.key)
  const rows = limit * countedPerRow
  const [page] =
    topic === null
      ? await run(context, countWithoutTopicStatement, { tenant, key, rows })
      : await run(context, countByTopicStatement, { tenant, topic, key, rows })
  const counted = {
    events: page?.events ?? 0,
    topic: page?.topic ?? topic,
    key: page === undefined ? key : uuid(page.id),
    isEnd: (page?.events ?? 0) < rows,
  }
  return advanceCount(state, counted, { topic: '', key: lowestId })
}

const nothing = { endpoints: 0, deliveries: 0 }

const countOthersStatement = query<typeof nothing>()(
  'count_rows_of_tenant',
  { tenant: 'uuid' },
  // endpoints_tenant; indexes that begin with the tenant, and of the counts of the last minutes their few rows
  `select (select count(*) from endpoints where tenant_id = $tenant) as endpoints,
     (select coalesce(sum(delta), 0)::bigint from delivery_counts where tenant_id = $tenant) as deliveries`,
)

interface Page {
  readonly events: number
  readonly topic: string | null
  readonly id: Uint8Array
}

const countWithoutTopicStatement = query<Page>()(
  'count_events_without_topic',
  { tenant: 'uuid', key: 'uuid', rows: 'bigint' },
  // events_topic
  `with page as materialized (
     select topic, id from events where tenant_id = $tenant and topic is null and id > $key order by id limit $rows
   )
   select (select count(*) from page) as events, topic, id from page order by id desc limit 1`,
)

const countByTopicStatement = query<Page>()(
  'count_events_by_topic',
  { tenant: 'uuid', topic: 'text', key: 'uuid', rows: 'bigint' },
  // events_topic
  `with page as materialized (
     select topic, id from events where tenant_id = $tenant and (topic, id) > ($topic, $key)
     order by topic, id limit $rows
   )
   select (select count(*) from page) as events, topic, id from page order by topic desc, id desc limit 1`,
)
