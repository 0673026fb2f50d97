import { idPrefixes } from '../../../core/ids.ts'
import { bytesOfId } from '../../cursors.ts'
import type { OrderingStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { countOrderedKeys, findHeads, listOrderedKeys } from '../read/ordered-keys.ts'
import { skip } from '../record/skip.ts'

export function createOrderingStore({ plain, atomic }: Runner): OrderingStore {
  return {
    skipDelivery: async (tenantId, deliveryId, reason) =>
      bytesOfId(idPrefixes.delivery, deliveryId) === null
        ? { kind: 'not_found' }
        : atomic('config', (context) => skip(context, tenantId, deliveryId, reason)),
    listOrderedKeys: (tenantId, filter, page) =>
      plain('read', (context) => listOrderedKeys(context, tenantId, filter, page)),
    findHeads: (tenantId, lines) => plain('read', (context) => findHeads(context, tenantId, lines)),
    countOrderedKeys: () => plain('read', countOrderedKeys),
  }
}
