import { idPrefixes } from '../../../core/ids.ts'
import { endedPortalLinkMs, type PortalLink } from '../../../core/portal.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { NewPortalLink, Page, PageRequest, PortalLinkStore } from '../../port.ts'
import { type PortalLinkRow, portalLinkColumns, toPortalLink } from '../../portal-link-row.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { Conditions } from '../read/conditions.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'

export function createPortalLinkStore({ plain, atomic }: Runner): PortalLinkStore {
  return {
    insertPortalLink: (link) => atomic('config', (context) => insertPortalLink(context, link)),
    listPortalLinks: (tenantId, page) => plain('read', (context) => listPortalLinks(context, tenantId, page)),
    revokePortalLink: (tenantId, id) => plain('config', (context) => revokePortalLink(context, tenantId, id)),
    findPortalLinks: (hashes) => plain('read', (context) => findPortalLinks(context, hashes)),
  }
}

export async function insertPortalLink(context: Context, link: NewPortalLink): Promise<PortalLink> {
  const [row] = await run(context, insertPortalLinkStatement, {
    id: uuidOfId(link.id),
    tenant: uuidOfId(link.tenantId),
    hash: Buffer.from(link.hash),
    abilities: JSON.stringify(link.abilities),
    label: link.label,
    life: link.lifeMs,
  })
  return toPortalLink(row as PortalLinkRow)
}

const insertPortalLinkStatement = query<PortalLinkRow>()(
  'insert_portal_link',
  { id: 'uuid', tenant: 'uuid', hash: 'bytea', abilities: 'text', label: 'text', life: 'bigint' },
  `insert into portal_links (id, tenant_id, hash, abilities, label, created_at, expires_at)
   values ($id, $tenant, $hash, $abilities, $label, ${now}, ${now} + $life) returning ${portalLinkColumns}`,
)

async function listPortalLinks(
  context: Context,
  tenantId: string,
  page: PageRequest,
): Promise<Page<PortalLink>> {
  const { limit, before } = readPageRequest(page)
  // portal_links_tenant
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', limit + 1)
    .add('id < $before', 'before', 'uuid', optionalUuid(before))
  const rows = await where.read<PortalLinkRow>(
    context,
    `select ${portalLinkColumns} from portal_links where tenant_id = $tenant${where.sql} order by id desc limit $rows`,
  )
  return toPage(rows, limit, toPortalLink)
}

export async function revokePortalLink(context: Context, tenantId: string, id: string): Promise<boolean> {
  const bytes = bytesOfId(idPrefixes.portalLink, id)
  if (bytes === null) return false
  const values = { id: uuid(bytes), tenant: uuidOfId(tenantId) }
  return (await run(context, revokePortalLinkStatement, values)).length === 1
}

const revokePortalLinkStatement = query<object>()(
  'revoke_portal_link',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `update portal_links set revoked_at = coalesce(revoked_at, ${now}) where id = $id and tenant_id = $tenant
   returning 1`,
)

async function findPortalLinks(
  context: Context,
  hashes: readonly Uint8Array[],
): Promise<readonly (PortalLink | null)[]> {
  const found: (PortalLink | null)[] = hashes.map(() => null)
  const texts = hashes.map((hash) => Buffer.from(hash).toString('hex'))
  for (const row of await run(context, findPortalLinksStatement, { hashes: texts })) {
    found[row.place - 1] = toPortalLink(row)
  }
  return found
}

const findPortalLinksStatement = query<PortalLinkRow & { readonly place: number }>()(
  'find_portal_links',
  { hashes: 'text[]' },
  // portal_links_hash_key
  `select given.place, found.* from unnest($hashes) with ordinality as given(hash, place)
   cross join lateral (
     select ${portalLinkColumns} from portal_links where hash = decode(given.hash, 'hex') limit 1
   ) found`,
)

/** At most `limit`; whether there may be more. */
export async function removeEndedPortalLinks(context: Context, limit: number): Promise<boolean> {
  const [row] = await run(context, removeEndedStatement, { ended_for: endedPortalLinkMs, limit })
  return row?.gone === limit
}

const removeEndedStatement = query<{ readonly gone: number }>()(
  'remove_ended_portal_links',
  { ended_for: 'bigint', limit: 'bigint' },
  // portal_links_end; what somebody else removes just now is left to them.
  `with gone as (
     delete from portal_links where id = any (array(
       select id from portal_links where expires_at <= ${now} - $ended_for
       order by expires_at limit $limit for update skip locked))
     returning 1
   )
   select count(*)::integer as gone from gone`,
)
