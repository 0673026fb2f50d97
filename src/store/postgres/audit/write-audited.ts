/** Does a write and leaves its line, in one transaction. */
import { serverCatalogueId } from '../../../core/event-type.ts'
import type { Subscription } from '../../../core/model.ts'
import type { PortalLink } from '../../../core/portal.ts'
import { isReadKind, lineOf, type ObjectReaders, type ReadObject, toReadObject } from '../../audit-line.ts'
import { type Audited, ruleOf } from '../../audit-rules.ts'
import type { AuditedWrite, KeptWrite } from '../../port.ts'
import { type PortalLinkRow, portalLinkColumns, toPortalLink } from '../../portal-link-row.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { lockEndpoint } from '../config/endpoints.ts'
import { subscriptionColumns } from '../config/subscriptions.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { getJob } from '../jobs/read-jobs.ts'
import { getEndpoint, getSubscription } from '../read/config.ts'
import { getCredential } from '../read/credentials.ts'
import { getDelivery } from '../read/deliveries.ts'
import { getEventType } from '../read/event-types.ts'
import { getEvent } from '../read/events.ts'
import { getApiKey } from '../read/keys.ts'
import { getTenant } from '../read/tenants.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { insertAuditLine } from './lines.ts'
import { writes } from './writes.ts'

export async function writeAs(
  context: Context,
  { name, args, actor }: KeptWrite | AuditedWrite,
): Promise<unknown> {
  const write = () => writes[name](context, ...(args as readonly never[]))
  return actor === undefined ? write() : writeAudited(context, { name, args, actor }, write)
}

async function writeAudited(
  context: Context,
  write: AuditedWrite,
  done: () => Promise<unknown>,
): Promise<unknown> {
  const { reads, about } = ruleOf(write.name)
  const audited = about(...(write.args as never))
  if (reads === 'both' || reads === 'before') await lockAudited(context, audited)
  const before = reads === 'before' || reads === 'both' ? await readObject(context, audited) : null
  const result = await done()
  const after = reads === 'after' || reads === 'both' ? await readObject(context, audited) : null
  const line = lineOf(write, { result, before, after })
  if (line !== null) await insertAuditLine(context, line)
  return result
}

/**
 * Whoever changes the same object waits here, so that what was read before is what the write finds. The first lock comes
 * before those of any row, and there is one, so nobody waits in a circle for it. Endpoints and jobs are changed by the
 * process itself as well, which does not take it: their row is locked too, which is the first that the writes lock anyway.
 */
async function lockAudited(context: Context, { kind, tenantId, id }: Audited): Promise<void> {
  if (id === null) return
  await run(context, lockStatement, { object: id })
  if (kind === 'endpoint') await lockEndpoint(context, tenantId ?? '', id)
  if (kind === 'job') await run(context, lockJobStatement, { id: uuidOfId(id) })
}

const lockJobStatement = query<object>()(
  'lock_audited_job',
  { id: 'uuid' },
  // primary key
  `select true from jobs where id = $id for update`,
)

const lockStatement = query<object>()(
  'lock_audited',
  { object: 'text' },
  `select pg_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' audited ' || $object, 0))::text`,
)

async function readObject(context: Context, audited: Audited): Promise<ReadObject | null> {
  const { kind, tenantId, id } = audited
  if (!isReadKind(kind) || id === null) return null
  return toReadObject(audited, await readers[kind](context, tenantId, id), context.line)
}

const readers: ObjectReaders<Context, true> = {
  tenant: (context, _tenantId, id) => getTenant(context, id),
  async endpoint(context, tenantId, id) {
    const endpoint = await getEndpoint(context, tenantId ?? '', id)
    return endpoint && { endpoint, own: await findOwnSubscription(context, id) }
  },
  subscription: (context, tenantId, id) => getSubscription(context, tenantId ?? '', id),
  credential: (context, tenantId, id) => getCredential(context, tenantId ?? '', id),
  key: (context, tenantId, id) => getApiKey(context, { kind: 'producer', tenantId }, id),
  admin_token: (context, tenantId, id) => getApiKey(context, { kind: 'admin', tenantId }, id),
  portal_link: (context, tenantId, id) => getPortalLink(context, tenantId ?? '', id),
  event_type: (context, tenantId, id) => getEventType(context, tenantId ?? serverCatalogueId, id),
  job: (context, tenantId, id) => getJob(context, tenantId ?? '', id),
  delivery: (context, tenantId, id) => getDelivery(context, tenantId ?? '', id),
  event: (context, tenantId, id) => getEvent(context, tenantId ?? '', id),
}

async function findOwnSubscription(context: Context, endpointId: string): Promise<Subscription | null> {
  const [row] = await run(context, ownSubscriptionStatement, { endpoint: uuidOfId(endpointId) })
  return row === undefined ? null : toSubscription(row)
}

const ownSubscriptionStatement = query<SubscriptionRow>()(
  'own_subscription',
  { endpoint: 'uuid' },
  // subscriptions_endpoint
  `select ${subscriptionColumns} from subscriptions where endpoint_id = $endpoint and own and deleted_at is null`,
)

async function getPortalLink(context: Context, tenantId: string, id: string): Promise<PortalLink | null> {
  const [row] = await run(context, portalLinkStatement, { id: uuidOfId(id), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toPortalLink(row)
}

const portalLinkStatement = query<PortalLinkRow>()(
  'get_portal_link',
  { id: 'uuid', tenant: 'uuid' },
  // primary key
  `select ${portalLinkColumns} from portal_links where id = $id and tenant_id = $tenant`,
)
