/** What an endpoint's tenant is still to be told of it: written with the change, read and removed by whoever publishes it. */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { DisabledReason, ErrorClass } from '../../../core/model.ts'
import type { EndpointNotice } from '../../../core/operational-events.ts'
import type { PendingNotice } from '../../port.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

export interface Transition {
  readonly topic: EndpointNotice['topic']
  readonly reason: DisabledReason
  /** Default: now. */
  readonly disabledAt?: number | null
  readonly errorClass?: ErrorClass | null
}

/** The row has its new version already. */
export function addNotice(context: WriteContext, endpointId: string, transition: Transition): void {
  const { memory, now } = context
  const { topic, reason, disabledAt, errorClass = null } = transition
  const id = memory.bytes(endpointId)
  const row = context
    .prepare<{ readonly updated_at: number }>('select updated_at from endpoints where id = ?') // primary key
    .get(id)
  if (row === undefined) return
  const isEnabled = topic === 'endpoint.recovered'
  const notice: EndpointNotice = {
    topic,
    version: row.updated_at,
    reason,
    disabledAt: disabledAt ?? now,
    enabledAt: isEnabled ? now : null,
    failingSince: isEnabled ? null : (memory.health(endpointId)?.health.failingSince ?? null),
    errorClass,
  }
  context
    .prepare(
      `update endpoints set notices = json_insert(coalesce(notices, '[]'), '$[#]', json(?)) where id = ?`, // primary key
    )
    .run(JSON.stringify(notice), id)
}

interface NoticeRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly uid: string | null
  readonly url: string
  readonly notice: string
}

export function listNotices(context: ReadContext, limit: number): readonly PendingNotice[] {
  return context
    .prepare<NoticeRow>(
      // endpoints_notices
      `select id, tenant_id, uid, url, notices ->> '$[0]' as notice from endpoints
       where notices is not null order by id limit ?`,
    )
    .all(limit)
    .map(({ id, tenant_id, uid, url, notice }) => ({
      endpointId: bytesToId(idPrefixes.endpoint, id),
      tenantId: bytesToId(idPrefixes.tenant, tenant_id),
      uid,
      url,
      notice: JSON.parse(notice),
    }))
}

export function removeNotice(context: WriteContext, endpointId: string, version: number): boolean {
  const { changes } = context
    .prepare(
      // primary key
      `update endpoints set notices = nullif(json_remove(notices, '$[0]'), '[]')
       where id = ? and notices ->> '$[0].version' = ?`,
    )
    .run(idToBytes(endpointId), version)
  return changes > 0
}
