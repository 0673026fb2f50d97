/** What tenants are still to be told of deliveries: written with the outcome, read and removed by whoever publishes it. */
import { idToBytes } from '../../../core/ids.ts'
import type { DeliveryNotice, NewDeliveryNotice } from '../../../core/operational-events.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** @param nextAttemptAt null: there is none, or it waits for the end of a reason */
export function addDeliveryNotice(
  context: WriteContext,
  notice: NewDeliveryNotice,
  nextAttemptAt: number | null,
): void {
  const kept: DeliveryNotice = { ...notice, since: context.now, nextAttemptAt }
  context
    .prepare(
      'insert into delivery_notices (delivery_id, claim_version, tenant_id, notice) values (?, ?, ?, ?)',
    )
    .run(
      idToBytes(notice.deliveryId),
      notice.claimVersion,
      context.memory.bytes(notice.tenantId),
      JSON.stringify(kept),
    )
}

export function listDeliveryNotices(context: ReadContext, limit: number): readonly DeliveryNotice[] {
  return context
    .prepare<{ readonly notice: string }>(
      'select notice from delivery_notices order by delivery_id, claim_version limit ?', // primary key
    )
    .all(limit)
    .map(({ notice }) => JSON.parse(notice))
}

export function removeDeliveryNotices(
  context: WriteContext,
  notices: readonly Pick<DeliveryNotice, 'deliveryId' | 'claimVersion'>[],
): void {
  const remove = context.prepare('delete from delivery_notices where delivery_id = ? and claim_version = ?') // primary key
  for (const { deliveryId, claimVersion } of notices) remove.run(idToBytes(deliveryId), claimVersion)
}
