/** That a credential's certificate runs out: noted once, read and removed by whoever publishes it. No change of the credential. */
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { type ExpiryNotice, expiryMark, marksBefore } from '../../../core/operational-events.ts'
import type { PendingExpiry } from '../../port.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function noteExpiry(context: WriteContext, credentialId: string, notice: ExpiryNotice): boolean {
  const { changes } = context
    .prepare(
      // primary key
      `update credentials set expiry_told = ?, expiry_notice = ?
       where id = ? and (expiry_told is null or expiry_told not in (select value from json_each(?)))`,
    )
    .run(
      expiryMark(notice),
      JSON.stringify(notice),
      idToBytes(credentialId),
      JSON.stringify(marksBefore(notice)),
    )
  return Number(changes) > 0
}

interface NoticeRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly name: string
  readonly expiry_notice: string
}

export function listExpiryNotices(context: ReadContext, limit: number): readonly PendingExpiry[] {
  return context
    .prepare<NoticeRow>(
      // credentials_expiry
      `select id, tenant_id, name, expiry_notice from credentials
       where expiry_notice is not null order by id limit ?`,
    )
    .all(limit)
    .map(({ id, tenant_id, name, expiry_notice }) => ({
      credentialId: bytesToId(idPrefixes.credential, id),
      tenantId: bytesToId(idPrefixes.tenant, tenant_id),
      name,
      notice: JSON.parse(expiry_notice),
    }))
}

export function removeExpiryNotice(context: WriteContext, credentialId: string, notice: ExpiryNotice): void {
  context
    // primary key
    .prepare('update credentials set expiry_notice = null where id = ? and expiry_told = ?')
    .run(idToBytes(credentialId), expiryMark(notice))
}
