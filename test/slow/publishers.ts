/** Callers that publish over HTTP all the time, each event until it is acknowledged, whatever happens to the server. */
import { call, pause } from './api-calls.ts'
import { digest } from './ledger.ts'

export interface Acknowledged {
  readonly eventId: string
  readonly deliveryIds: readonly string[]
  readonly topic: string
  /** Of the payload's exact bytes. */
  readonly digest: string
}

export interface Publishers {
  /** By idempotency key. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
  /** Calls that got no 202: the server was down, or ended before it answered. */
  readonly unanswered: number
  /** Answers that said that the event was there already: it was committed and the answer lost. */
  readonly replayed: number
  /** Stops publishing new events and resolves when the last one is acknowledged. */
  stop(): Promise<void>
}

export interface PublisherOptions {
  readonly callers: number
  /** A caller's rest between two events. */
  readonly everyMs: () => number
  /** A producer key. */
  readonly token: string
  /** The address to call now. */
  readonly url: () => string
  /** How long a call may take. Default: 15 s. */
  readonly timeoutMs?: number
  /** A call to this address got no 202. */
  readonly onUnanswered?: (url: string) => void
  readonly topicOf: (eventNo: number) => string
}

export function startPublishers(options: PublisherOptions): Publishers {
  const acknowledged = new Map<string, Acknowledged>()
  const tally = { unanswered: 0, replayed: 0 }
  let eventNo = 0
  let stopping = false

  const publishOne = async (no: number): Promise<void> => {
    const key = `event-${no}`
    const topic = options.topicOf(no)
    const payload = payloadOf(no)
    for (;;) {
      const url = options.url()
      const answer = await call(url, '/v1/events', {
        token: options.token,
        body: `{"topic":"${topic}","payload":${payload}}`,
        headers: { 'idempotency-key': key },
        timeoutMs: options.timeoutMs ?? 15_000,
      }).catch(() => null)
      if (answer?.status === 202) {
        if (answer.headers.get('idempotent-replay') === 'true') tally.replayed++
        const { event_id: eventId, delivery_ids: deliveryIds } = answer.json
        acknowledged.set(key, { eventId, deliveryIds, topic, digest: digest(payload) })
        return
      }
      if (answer !== null && answer.status !== 503) throw new Error(`${answer.status} for ${key}`)
      tally.unanswered++
      options.onUnanswered?.(url)
      await pause(50)
    }
  }
  const publish = async () => {
    while (!stopping) {
      await publishOne(eventNo++)
      await pause(options.everyMs())
    }
  }
  const running = Promise.all(Array.from({ length: options.callers }, publish))
  // `stop` tells of it; nobody else listens before.
  running.catch(() => {})
  return {
    acknowledged,
    get unanswered() {
      return tally.unanswered
    },
    get replayed() {
      return tally.replayed
    },
    stop: async () => {
      stopping = true
      await running
    },
  }
}

/** What a parser and a serialiser would not bring back: spaces, big numbers, names given twice, escapes. */
function payloadOf(no: number): string {
  return `{"no" :${no},  "big":90071992547409931234.10,"twice":1,"twice":2,"text":"\\u00e9é\\/","pad":"${'x'.repeat(no % 700)}"}`
}
