/** A receiver of events whose payloads say of which key they are, and their number in it: notes in which order they come. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrival {
  readonly key: string
  readonly no: number
  readonly eventId: string
}

export interface OrderedReceiver {
  readonly url: string
  /** Requests whose body came whole, in the order in which they came. */
  readonly arrivals: readonly Arrival[]
  /** Requests without their answer now. */
  readonly open: number
  /** Requests whose sender went away before it had its answer. */
  readonly cut: number
  /** Numbers of the events of the key, in the order in which they were answered with 2xx. */
  accepted(key: string): readonly number[]
  /** What a request of the key is answered with, by the event's number and by the request's, from 1. Default 200. */
  answer(key: string, status: (no: number, requestNo: number) => number): void
  /** Answers nobody until the function that it returns is called. */
  hold(): () => void
  close(): void
}

export async function startOrderedReceiver(): Promise<OrderedReceiver> {
  const arrivals: Arrival[] = []
  const accepted: Arrival[] = []
  const requestsOf = new Map<string, number>()
  const answers = new Map<string, (no: number, requestNo: number) => number>()
  let held: Promise<void> = Promise.resolve()
  let [open, cut] = [0, 0]
  const server = createServer(async (message, response) => {
    open++
    response.once('close', () => {
      open--
      if (!response.writableFinished) cut++
    })
    let text = ''
    for await (const chunk of message) text += chunk
    const { key, no } = JSON.parse(text) as Arrival
    const arrival = { key, no, eventId: String(message.headers['outhook-event-id']) }
    arrivals.push(arrival)
    const requestNo = (requestsOf.get(arrival.eventId) ?? 0) + 1
    requestsOf.set(arrival.eventId, requestNo)
    await held
    if (response.destroyed) return
    const status = answers.get(key)?.(no, requestNo) ?? 200
    if (status < 300) accepted.push(arrival)
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivals,
    get open() {
      return open
    },
    get cut() {
      return cut
    },
    accepted: (key) => accepted.filter((one) => one.key === key).map(({ no }) => no),
    answer: (key, status) => answers.set(key, status),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/**
 * What of the key came where it must not. Each arrival has to be the next event, or once more the newest of those that
 * came: so first arrivals are strictly increasing without gaps, and a repeat never comes after its successor.
 */
export function outOfOrder(arrivals: readonly Arrival[], key: string): readonly string[] {
  const found: string[] = []
  let newest = 0
  for (const { no } of arrivals.filter((one) => one.key === key)) {
    if (no !== newest && no !== newest + 1) found.push(`${no} after ${newest}`)
    newest = Math.max(newest, no)
  }
  return found
}
