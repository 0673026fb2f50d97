/** Expunging a payload on demand: the event stays, and its bytes are gone from the store, and what answers repeat of them. */
import { OuthookError } from '../core/errors.ts'
import { cancelReason } from '../core/jobs.ts'
import { type Delivery, limits } from '../core/model.ts'
import type { DeliveryStore, ReadStore } from '../store/port.ts'
import { checkMembers } from './key-input.ts'
import { notFound } from './page.ts'

export interface Expunged {
  readonly eventId: string
  /** The first time: expunging again changes nothing. */
  readonly expungedAt: number
  /** Deliveries that waited, and were cancelled for it. */
  readonly cancelled: number
}

export type ExpungeStore = Pick<ReadStore, 'getEvent' | 'listDeliveriesOfEvent'> &
  Pick<DeliveryStore, 'cancelDelivery' | 'expungePayload' | 'expungeAnswers'>

/**
 * The payload goes first: from then on nothing can be sent again. Whoever is cut off after it asks again, and what is
 * left of answers goes then.
 */
export async function expungePayload(
  store: ExpungeStore,
  { tenantId, id, cancel }: { readonly tenantId: string; readonly id: string; readonly cancel: boolean },
): Promise<Expunged> {
  const event = await store.getEvent(tenantId, id)
  if (event === null) throw notFound('event')
  const cancelled = event.expungedAt === null ? await cancelWaiting(store, { tenantId, id, cancel }) : 0
  const result = await store.expungePayload(tenantId, id)
  switch (result.kind) {
    case 'not_found':
      throw notFound('event')
    case 'accepted':
      throw new OuthookError('conflict', 'its deliveries are still being made; ask again when they are')
    case 'live':
      throw underWay()
    case 'expunged':
      for await (const page of pagesOf(store, tenantId, id)) {
        await store.expungeAnswers(page.map((delivery) => delivery.id))
      }
      return { eventId: id, expungedAt: result.expungedAt, cancelled }
  }
}

/** Whether to cancel what waits. Whatever is not said plainly is refused: it cannot be undone. */
export function readCancel(options: { readonly cancel?: boolean }): boolean {
  checkMembers(options, { known: { cancel: true }, example: '{ cancel: true }' })
  const { cancel = false } = options
  if (typeof cancel === 'boolean') return cancel
  throw new OuthookError('unprocessable', 'cancel must be true or false')
}

/** All or nothing, but for what begins meanwhile. */
async function cancelWaiting(
  store: ExpungeStore,
  { tenantId, id, cancel }: { readonly tenantId: string; readonly id: string; readonly cancel: boolean },
): Promise<number> {
  const waiting: string[] = []
  for await (const page of pagesOf(store, tenantId, id)) {
    if (page.some(({ state }) => state === 'in_flight')) throw underWay()
    waiting.push(...page.filter(isWaiting).map((delivery) => delivery.id))
  }
  if (waiting.length > 0 && !cancel) {
    throw new OuthookError(
      'conflict',
      `${waiting.length} of its deliveries have not come to an end; wait for that, or expunge with cancel=true, which ` +
        'cancels them',
    )
  }
  for (const deliveryId of waiting) {
    await store.cancelDelivery(tenantId, deliveryId, cancelReason('cancel'))
  }
  return waiting.length
}

function isWaiting({ state }: Delivery): boolean {
  return state === 'pending' || state === 'retry_scheduled'
}

async function* pagesOf(store: ExpungeStore, tenantId: string, id: string) {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<ExpungeStore['listDeliveriesOfEvent']>> =
      await store.listDeliveriesOfEvent(tenantId, id, { limit: limits.maxDeliveriesAtOnce, cursor })
    yield page.items
    cursor = page.nextCursor
  } while (cursor !== '')
}

function underWay(): OuthookError {
  return new OuthookError(
    'attempt_under_way',
    'an attempt of one of its deliveries is under way, which holds the payload; ask again once it has ended',
  )
}
