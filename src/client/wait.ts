/** Waits until an event has been delivered to everybody. */
import { elapsedMs, pause } from './clock.ts'
import { NotDeliveredError } from './errors.ts'
import type { EventStatus } from './generated/types.ts'
import type { CallOptions } from './requester.ts'

export interface WaitOptions extends Omit<CallOptions, 'timeoutMs' | 'idempotencyKey'> {
  /** How long to wait in all. Default 30 s. */
  readonly timeoutMs?: number | undefined
}

const defaultWaitMs = 30_000
const firstPollMs = 50
const maxPollMs = 1000
const endStates: readonly string[] = ['succeeded', 'dead_lettered', 'cancelled', 'skipped']

type GetEvent = (id: string, query: { cursor?: string }, options: CallOptions) => Promise<EventStatus>

/**
 * Resolves with the event and all of its deliveries once each has succeeded.
 * Errors: NotDeliveredError when one was given up, or when time is up; and those of the call.
 */
export async function waitUntilDelivered(
  getEvent: GetEvent,
  id: string,
  { timeoutMs = defaultWaitMs, ...options }: WaitOptions = {},
): Promise<EventStatus> {
  const { pages, isOver } = await waitForEnd(getEvent, id, { timeoutMs, ...options })
  const [last] = pages.slice(-1)
  const deliveries = pages.flatMap((page) => page.deliveries)
  const states = deliveries.map(({ state }) => state).filter((state) => state !== 'succeeded')
  if (last === undefined || !isOver || states.length > 0) throw new NotDeliveredError(id, states, !isOver)
  return { ...last, deliveries }
}

/** Resolves with the event's pages when every delivery has come to an end, whichever, or when time is up. */
export async function waitForEnd(
  getEvent: GetEvent,
  id: string,
  { timeoutMs = defaultWaitMs, ...options }: WaitOptions = {},
): Promise<{ readonly pages: readonly EventStatus[]; readonly isOver: boolean }> {
  const deadline = elapsedMs() + timeoutMs
  // Deliveries on the pages before have ended, so a large event is read through once, and not again and again.
  const before: EventStatus[] = []
  for (let pollMs = firstPollMs; ; ) {
    const cursor = before.at(-1)?.nextCursor
    const page = await getEvent(id, cursor === undefined ? {} : { cursor }, options)
    const hasEnded = page.deliveries.every(({ state }) => endStates.includes(state))
    if (hasEnded && page.nextCursor !== '') {
      before.push(page)
      continue
    }
    const isOver = hasEnded && page.state !== 'accepted'
    if (isOver || elapsedMs() >= deadline) return { pages: [...before, page], isOver }
    await pause(Math.min(pollMs, Math.max(1, deadline - elapsedMs())), options.signal)
    pollMs = Math.min(maxPollMs, pollMs * 1.5)
  }
}
