/** What an endpoint's tenant is still to be told of it: written with the change, read and removed by whoever publishes it. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason, ErrorClass } from '../../../core/model.ts'
import type { EndpointNotice } from '../../../core/operational-events.ts'
import type { ConfigStore, PendingNotice } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export interface Transition {
  readonly topic: EndpointNotice['topic']
  readonly reason: DisabledReason
  /** Default: now. */
  readonly disabledAt?: number | null
  readonly errorClass?: ErrorClass | null
}

/** The row is locked, and has its new version already. */
export async function addNotice(context: Context, endpoint: string, transition: Transition): Promise<void> {
  const { topic, reason, disabledAt = null, errorClass = null } = transition
  await run(context, addNoticeStatement, {
    endpoint,
    topic,
    reason,
    disabled_at: disabledAt,
    error_class: errorClass,
  })
}

const addNoticeStatement = command(
  'add_notice',
  { endpoint: 'uuid', topic: 'text', reason: 'text', disabled_at: 'bigint', error_class: 'text' },
  // primary keys
  `update endpoints e set notices = (coalesce(e.notices::jsonb, '[]') || jsonb_build_array(jsonb_build_object(
       'topic', $topic, 'version', e.updated_at, 'reason', $reason,
       'disabledAt', coalesce($disabled_at, ${now}),
       'enabledAt', case when $topic = 'endpoint.recovered' then ${now} end,
       'failingSince', case when $topic = 'endpoint.disabled'
         then (select s.failing_since from endpoint_state s where s.target_id = e.id) end,
       'errorClass', $error_class)))::text
     where e.id = $endpoint`,
)

export function createNoticeStore({ plain }: Runner): Pick<ConfigStore, 'listNotices' | 'removeNotice'> {
  return {
    listNotices: (limit) => plain('read', (context) => listNotices(context, limit)),
    removeNotice: (endpointId, version) =>
      plain('config', (context) => removeNotice(context, endpointId, version)),
  }
}

interface NoticeRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly uid: string | null
  readonly url: string
  readonly notices: string
}

async function listNotices(context: Context, limit: number): Promise<readonly PendingNotice[]> {
  const rows = await run(context, listNoticesStatement, { rows: limit })
  return rows.map(({ id, tenant_id, uid, url, notices }) => ({
    endpointId: bytesToId(idPrefixes.endpoint, id),
    tenantId: bytesToId(idPrefixes.tenant, tenant_id),
    uid,
    url,
    notice: (JSON.parse(notices) as [EndpointNotice])[0],
  }))
}

const listNoticesStatement = query<NoticeRow>()(
  'list_notices',
  { rows: 'integer' },
  // endpoints_notices
  'select id, tenant_id, uid, url, notices from endpoints where notices is not null order by id limit $rows',
)

async function removeNotice(context: Context, endpointId: string, version: number): Promise<boolean> {
  const removed = await run(context, removeNoticeStatement, { endpoint: uuidOfId(endpointId), version })
  return removed.length > 0
}

const removeNoticeStatement = query<{ readonly id: Uint8Array }>()(
  'remove_notice',
  { endpoint: 'uuid', version: 'bigint' },
  // primary key
  `update endpoints set notices = nullif((notices::jsonb - 0)::text, '[]')
     where id = $endpoint and (notices::jsonb -> 0 ->> 'version')::bigint = $version
     returning id`,
)
