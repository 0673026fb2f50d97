import type { OutboxStore, StoreTime } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { isOrdered } from './join-lines.ts'
import { fanOut, listAccepted, readAccepted, readStoreId, setKeyTtl } from './outbox.ts'
import { acceptInTransaction } from './outbox-client.ts'

export function createOutboxStore({ plain, atomic }: Runner, schema: string, time: StoreTime): OutboxStore {
  let storeId: Promise<string | null> | undefined
  const getStoreId = (): Promise<string | null> => {
    storeId ??= plain('read', readStoreId)
    storeId.catch(() => {
      storeId = undefined
    })
    return storeId
  }
  return {
    accept: async (client, events) =>
      acceptInTransaction(client, events, { schema, storeId: await getStoreId(), moment: time.now() }),
    setKeyTtl: (ms) => plain('config', (context) => setKeyTtl(context, ms)),
    listAccepted: (limit, after = null) => plain('publish', (context) => listAccepted(context, limit, after)),
    readAccepted: (ids) => plain('publish', (context) => readAccepted(context, ids)),
    // The lane with time for one event that goes to very many endpoints.
    fanOut: (plans) =>
      (plans.some(isOrdered) ? atomic : plain)('config', (context) => fanOut(context, plans)),
  }
}
