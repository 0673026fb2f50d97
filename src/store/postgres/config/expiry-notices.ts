/** That a credential's certificate runs out: noted once, read and removed by whoever publishes it. No change of the credential. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type ExpiryNotice, expiryMark, marksBefore } from '../../../core/operational-events.ts'
import type { CredentialStore, PendingExpiry } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

export function createExpiryNoticeStore({
  plain,
}: Runner): Pick<CredentialStore, 'noteExpiry' | 'listExpiryNotices' | 'removeExpiryNotice'> {
  return {
    noteExpiry: (credentialId, notice) =>
      plain('config', (context) => noteExpiry(context, credentialId, notice)),
    listExpiryNotices: (limit) => plain('read', (context) => listExpiryNotices(context, limit)),
    removeExpiryNotice: (credentialId, notice) =>
      plain('config', (context) => removeExpiryNotice(context, credentialId, notice)),
  }
}

async function noteExpiry(context: Context, credentialId: string, notice: ExpiryNotice): Promise<boolean> {
  const noted = await run(context, noteExpiryStatement, {
    id: uuidOfId(credentialId),
    mark: expiryMark(notice),
    notice: JSON.stringify(notice),
    before: marksBefore(notice),
  })
  return noted.length > 0
}

const noteExpiryStatement = query<object>()(
  'note_expiry',
  { id: 'uuid', mark: 'text', notice: 'text', before: 'text[]' },
  // primary key
  `update credentials set expiry_told = $mark, expiry_notice = $notice
     where id = $id and (expiry_told is null or expiry_told <> all ($before)) returning 1`,
)

interface NoticeRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly name: string
  readonly expiry_notice: string
}

async function listExpiryNotices(context: Context, limit: number): Promise<readonly PendingExpiry[]> {
  const rows = await run(context, listExpiryNoticesStatement, { rows: limit })
  return rows.map(({ id, tenant_id, name, expiry_notice }) => ({
    credentialId: bytesToId(idPrefixes.credential, id),
    tenantId: bytesToId(idPrefixes.tenant, tenant_id),
    name,
    notice: JSON.parse(expiry_notice),
  }))
}

const listExpiryNoticesStatement = query<NoticeRow>()(
  'list_expiry_notices',
  { rows: 'integer' },
  // credentials_expiry
  `select id, tenant_id, name, expiry_notice from credentials
     where expiry_notice is not null order by id limit $rows`,
)

async function removeExpiryNotice(
  context: Context,
  credentialId: string,
  notice: ExpiryNotice,
): Promise<void> {
  await run(context, removeExpiryNoticeStatement, { id: uuidOfId(credentialId), mark: expiryMark(notice) })
}

const removeExpiryNoticeStatement = command(
  'remove_expiry_notice',
  { id: 'uuid', mark: 'text' },
  // primary key
  'update credentials set expiry_notice = null where id = $id and expiry_told = $mark',
)
