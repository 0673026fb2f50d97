/** The figures of the overview, as far as one page of each list says them. */
import type { DeadLetter, Delivery, Endpoint, Event } from '../client/index.ts'
import { server } from './server.ts'

/** Of many: what one page holds, and whether there are more. */
export interface Some<T> {
  readonly items: readonly T[]
  readonly hasMore: boolean
}

export interface OverviewFigures {
  readonly endpoints: Some<Endpoint>
  readonly waiting: Some<Delivery>
  readonly inFlight: Some<Delivery>
  readonly retries: Some<Delivery>
  readonly deadLetters: Some<DeadLetter>
  readonly events: Some<Event>
}

const atMost = 200
const latest = 10

export async function readOverview(
  tenant: string | undefined,
  signal: AbortSignal,
): Promise<OverviewFigures> {
  const options = { tenant, signal }
  const deliveriesIn = (state: Delivery['state']) =>
    some(server.deliveries.list({ state, limit: atMost }, options))
  const [endpoints, waiting, inFlight, retries, deadLetters, events] = await Promise.all([
    some(server.endpoints.list({ limit: atMost }, options)),
    deliveriesIn('pending'),
    deliveriesIn('in_flight'),
    deliveriesIn('retry_scheduled'),
    some(server.deadLetters.list({ limit: atMost }, options)),
    some(server.events.list({ limit: latest }, options)),
  ])
  return { endpoints, waiting, inFlight, retries, deadLetters, events }
}

async function some<T>(
  page: PromiseLike<{ readonly items: readonly T[]; readonly nextCursor: string }>,
): Promise<Some<T>> {
  const { items, nextCursor } = await page
  return { items, hasMore: nextCursor !== '' }
}
