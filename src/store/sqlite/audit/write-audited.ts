/** Does a write and leaves its line, in the transaction of the call. */
import { serverCatalogueId } from '../../../core/event-type.ts'
import { idToBytes } from '../../../core/ids.ts'
import type { Subscription } from '../../../core/model.ts'
import type { PortalLink } from '../../../core/portal.ts'
import { isReadKind, lineOf, type ObjectReaders, type ReadObject, toReadObject } from '../../audit-line.ts'
import { type Audited, ruleOf } from '../../audit-rules.ts'
import type { AuditedWrite } from '../../port.ts'
import { type PortalLinkRow, portalLinkColumns, toPortalLink } from '../../portal-link-row.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { getJob } from '../jobs/read-jobs.ts'
import { getEndpoint, getSubscription } from '../read/config.ts'
import type { ReadContext } from '../read/context.ts'
import { getCredential } from '../read/credentials.ts'
import { getEventType } from '../read/event-types.ts'
import { getEvent } from '../read/events.ts'
import { getApiKey } from '../read/keys.ts'
import { getDelivery } from '../read/one-delivery.ts'
import { getTenant } from '../read/tenants.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { insertAuditLine } from './lines.ts'

export function writeAudited(context: WriteContext, write: AuditedWrite, run: () => unknown): unknown {
  const { reads, about } = ruleOf(write.name)
  const audited = about(...(write.args as never))
  const before = reads === 'before' || reads === 'both' ? readObject(context, audited) : null
  const result = run()
  const after = reads === 'after' || reads === 'both' ? readObject(context, audited) : null
  const line = lineOf(write, { result, before, after })
  if (line !== null) insertAuditLine(context, line)
  return result
}

function readObject(context: ReadContext, audited: Audited): ReadObject | null {
  const { kind, tenantId, id } = audited
  if (!isReadKind(kind) || id === null) return null
  return toReadObject(audited, readers[kind](context, tenantId, id), context.line)
}

const readers: ObjectReaders<ReadContext, false> = {
  tenant: (context, _tenantId, id) => getTenant(context, id),
  endpoint(context, tenantId, id) {
    const endpoint = getEndpoint(context, tenantId ?? '', id)
    return endpoint && { endpoint, own: findOwnSubscription(context, id) }
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

function findOwnSubscription(context: ReadContext, endpointId: string): Subscription | null {
  const row = context
    .prepare<SubscriptionRow>(
      // subscriptions_endpoint
      'select * from subscriptions where endpoint_id = ? and own = 1 and deleted_at is null',
    )
    .get(idToBytes(endpointId))
  return row === undefined ? null : toSubscription(row)
}

function getPortalLink(context: ReadContext, tenantId: string, id: string): PortalLink | null {
  const row = context
    .prepare<PortalLinkRow>(`select ${portalLinkColumns} from portal_links where id = ? and tenant_id = ?`)
    .get(idToBytes(id), idToBytes(tenantId))
  return row === undefined ? null : toPortalLink(row)
}
