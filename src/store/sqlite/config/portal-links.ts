import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import { endedPortalLinkMs, type PortalLink } from '../../../core/portal.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { NewPortalLink, Page, PageRequest } from '../../port.ts'
import { type PortalLinkRow, portalLinkColumns, toPortalLink } from '../../portal-link-row.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function insertPortalLink({ prepare, now }: WriteContext, link: NewPortalLink): PortalLink {
  const row = prepare<PortalLinkRow>(
    `insert into portal_links (id, tenant_id, hash, abilities, label, created_at, expires_at)
     values (?, ?, ?, ?, ?, ?, ?) returning ${portalLinkColumns}`,
  ).get(
    idToBytes(link.id),
    idToBytes(link.tenantId),
    link.hash,
    JSON.stringify(link.abilities),
    link.label,
    now,
    now + link.lifeMs,
  )
  return toPortalLink(row as PortalLinkRow)
}

export function listPortalLinks(context: ReadContext, tenantId: string, page: PageRequest): Page<PortalLink> {
  const { limit, before } = readPageRequest(page)
  const rows = context
    .prepare<PortalLinkRow>(
      // portal_links_tenant
      `select ${portalLinkColumns} from portal_links where tenant_id = ?1 and (?2 is null or id < ?2)
       order by id desc limit ?3`,
    )
    .all(idToBytes(tenantId), before, limit + 1)
  return toPage(rows, limit, toPortalLink)
}

export function revokePortalLink({ prepare, now }: WriteContext, tenantId: string, id: string): boolean {
  const bytes = bytesOfId(idPrefixes.portalLink, id)
  if (bytes === null) return false
  // primary key
  const { changes } = prepare(
    'update portal_links set revoked_at = coalesce(revoked_at, ?) where id = ? and tenant_id = ?',
  ).run(now, bytes, idToBytes(tenantId))
  return changes === 1
}

export function findPortalLinks(
  context: ReadContext,
  hashes: readonly Uint8Array[],
): readonly (PortalLink | null)[] {
  // the unique index of the hash
  const find = context.prepare<PortalLinkRow>(`select ${portalLinkColumns} from portal_links where hash = ?`)
  return hashes.map((hash) => {
    const row = find.get(hash)
    return row === undefined ? null : toPortalLink(row)
  })
}

/** At most `limit`; whether there may be more. */
export function removeEndedPortalLinks({ prepare, now }: WriteContext, limit: number): boolean {
  // portal_links_end
  const { changes } = prepare(
    'delete from portal_links where id in (select id from portal_links where expires_at <= ? order by expires_at limit ?)',
  ).run(now - endedPortalLinkMs, limit)
  return changes === limit
}
