/** Five workers on one store: `node claimers-child.ts URL SCHEMA`. Asked, they all claim at the same moment. */
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { answerParent } from './answer-parent.ts'

const [, , url = '', schema = ''] = process.argv
const workers = await Promise.all(Array.from({ length: 5 }, () => openPostgresStore({ url, schema })))
// Known to each other before the first claim, which would else take all slots of the endpoint.
await Promise.all(workers.map((worker) => worker.cluster?.shares.renew({ usableMs: 60_000, openMs: 0 })))
const request = { limit: 1, maxBytes: 1_000_000, leaseMs: 60_000, slots: new Map<string, number>() }

answerParent(workers.length, async () => {
  const claims = await Promise.all(workers.map((worker) => worker.claim(request)))
  return claims.flatMap(({ deliveries }) => deliveries.map((delivery) => delivery.id))
})
