/** What tenants are still to be told of deliveries: written with the outcome, read and removed by whoever publishes it. */
import type { DeliveryNotice, NewDeliveryNotice } from '../../../core/operational-events.ts'
import type { DeliveryStore } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import type { LeaseEnd } from './lease-end.ts'

export interface NoticedEnd {
  readonly end: LeaseEnd
  readonly notice: NewDeliveryNotice
}

/** In the transaction of the ends; of those that were written. A delivery that was cancelled instead is told of to nobody. */
export async function addDeliveryNotices(
  context: Context,
  noticed: readonly NoticedEnd[],
  written: ReadonlySet<Lease>,
): Promise<void> {
  const told = noticed.filter(({ end }) => end.state !== 'cancelled' && written.has(end.lease))
  if (told.length === 0) return
  await run(context, addNoticesStatement, {
    deliveries: told.map(({ end }) => end.lease.id),
    versions: told.map(({ notice }) => notice.claimVersion),
    tenants: told.map(({ end }) => end.lease.tenant),
    notices: told.map(({ end, notice }) => JSON.stringify(keptNotice(context.moment, end, notice))),
  })
}

function keptNotice(moment: number, end: LeaseEnd, notice: NewDeliveryNotice): DeliveryNotice {
  const dueInMs = 'dueInMs' in end ? end.dueInMs : null
  return { ...notice, since: moment, nextAttemptAt: dueInMs === null ? null : moment + Math.round(dueInMs) }
}

const addNoticesStatement = command(
  'add_delivery_notices',
  { deliveries: 'uuid[]', versions: 'integer[]', tenants: 'uuid[]', notices: 'text[]' },
  `insert into delivery_notices (delivery_id, claim_version, tenant_id, notice)
     select * from unnest($deliveries, $versions, $tenants, $notices) on conflict do nothing`,
)

export function createDeliveryNoticeStore({
  plain,
}: Runner): Pick<DeliveryStore, 'listDeliveryNotices' | 'removeDeliveryNotices'> {
  return {
    listDeliveryNotices: (limit) => plain('read', (context) => listNotices(context, limit)),
    removeDeliveryNotices: (notices) => plain('config', (context) => removeNotices(context, notices)),
  }
}

async function listNotices(context: Context, limit: number): Promise<readonly DeliveryNotice[]> {
  const rows = await run(context, listStatement, { rows: limit })
  return rows.map(({ notice }) => JSON.parse(notice))
}

const listStatement = query<{ readonly notice: string }>()(
  'list_delivery_notices',
  { rows: 'integer' },
  // primary key
  'select notice from delivery_notices order by delivery_id, claim_version limit $rows',
)

async function removeNotices(
  context: Context,
  notices: readonly Pick<DeliveryNotice, 'deliveryId' | 'claimVersion'>[],
): Promise<void> {
  await run(context, removeStatement, {
    deliveries: notices.map(({ deliveryId }) => uuidOfId(deliveryId)),
    versions: notices.map(({ claimVersion }) => claimVersion),
  })
}

const removeStatement = command(
  'remove_delivery_notices',
  { deliveries: 'uuid[]', versions: 'integer[]' },
  // primary key
  `delete from delivery_notices n using unnest($deliveries, $versions) as o (delivery_id, claim_version)
     where n.delivery_id = o.delivery_id and n.claim_version = o.claim_version`,
)
