/** Traffic over all that waits for a time, while a clock jumps; what came of it, in counts. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outhook } from '../../src/index.ts'

export interface ClockChaos {
  /** Processes on one store; events are published by all of them. */
  readonly nodes: readonly Outhook[]
  readonly events: number
  jump(ms: number): Promise<void> | void
}

export interface ClockChaosCounts {
  readonly jumps: number
  readonly published: number
  /** Deliveries that never arrived, of `published` times four. */
  readonly lost: number
  /** Requests beyond one success, or beyond the one that was to be refused. */
  readonly duplicates: number
  /** Retries before their delay was over. */
  readonly early: number
  /** Requests to the endpoint with a rate, beyond its burst and rate. */
  readonly overRate: number
  /** The longest from publish to arrival at an endpoint that only answers slowly, and of a retry after its time. */
  readonly healthyMs: number
  readonly retryLateMs: number
  readonly tookMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Each takes the clock away or brings it back. */
const jumps = [
  hourMs,
  -hourMs,
  -hourMs,
  hourMs,
  100 * dayMs,
  -100 * dayMs,
  -4000,
  4000,
  -100 * dayMs,
  100 * dayMs,
]
const publishEveryMs = 100
const jumpEveryMs = 600
const answerAfterMs = 250
export const retryDelayMs = 1500
const rate = 10
const patienceMs = 60_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Arrivals by event, in milliseconds of the monotonic clock. */
class Arrivals {
  readonly byEvent = new Map<string, number[]>()

  note(event: string): number {
    const times = this.byEvent.get(event) ?? []
    times.push(performance.now())
    this.byEvent.set(event, times)
    return times.length
  }
}

async function listen(listener: RequestListener, port = 0) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => listener(request, response))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

export async function runClockChaos({ nodes, events, jump }: ClockChaos): Promise<ClockChaosCounts> {
  const healthy = new Arrivals()
  const limited = new Arrivals()
  const failing = new Arrivals()
  const paused = new Arrivals()
  const eventOf = (headers: NodeJS.Dict<string | string[]>): string => String(headers['outhook-event-id'])
  const answering =
    (arrivals: Arrivals, afterMs = 0): RequestListener =>
    (request, response) => {
      arrivals.note(eventOf(request.headers))
      setTimeout(() => response.writeHead(204).end(), afterMs)
    }
  // In flight whenever the clock jumps.
  const healthyAt = await listen(answering(healthy, answerAfterMs))
  const limitedAt = await listen(answering(limited))
  const failingAt = await listen((request, response) => {
    response.writeHead(failing.note(eventOf(request.headers)) === 1 ? 500 : 204).end()
  })
  const closed = await listen(() => {})
  await closed.close()
  const [first] = nodes
  if (first === undefined) throw new Error('there is no node')
  const retryPolicy = { max_attempts: 50, delays: [`${retryDelayMs}ms`], jitter: 'none' as const }
  const add = (port: number, limits: { readonly rateLimitRps?: number } = {}) =>
    first.endpoints.create({ url: `http://127.0.0.1:${port}/`, topics: ['*'], retryPolicy, ...limits })
  await add(healthyAt.port)
  await add(limitedAt.port, { rateLimitRps: rate })
  await add(failingAt.port)
  await add(closed.port)

  const startedAt = performance.now()
  const publishedAt = new Map<string, number>()
  let jumped = 0
  let isOver = false
  const jumping = (async () => {
    while (!isOver || jumped % jumps.length !== 0) {
      await pause(jumpEveryMs)
      await jump(jumps[jumped++ % jumps.length] ?? 0)
    }
  })()
  let reopened: Awaited<ReturnType<typeof listen>> | null = null
  for (let n = 0; n < events; n++) {
    const at = performance.now()
    const { id } = await (nodes[n % nodes.length] ?? first).publish({
      topic: 'orders.created',
      payload: { n },
    })
    publishedAt.set(id, at)
    if (n === Math.floor(events / 2)) reopened = await listen(answering(paused), closed.port)
    await pause(publishEveryMs)
  }
  const all = [healthy, limited, failing, paused]
  const isIn = (id: string): boolean =>
    all.every((arrivals) => (arrivals.byEvent.get(id)?.length ?? 0) >= (arrivals === failing ? 2 : 1))
  for (const until = performance.now() + patienceMs; performance.now() < until; await pause(50)) {
    if ([...publishedAt.keys()].every(isIn)) break
  }
  isOver = true
  await jumping
  // Whoever was to come twice has come.
  await pause(2000)
  const tookMs = performance.now() - startedAt
  await Promise.all([healthyAt, limitedAt, failingAt, reopened].map((server) => server?.close()))

  const timesOf = (arrivals: Arrivals) => [...publishedAt.keys()].map((id) => arrivals.byEvent.get(id) ?? [])
  const wanted = (arrivals: Arrivals): number => (arrivals === failing ? 2 : 1)
  const sum = (of: (arrivals: Arrivals) => readonly number[]): number =>
    all.flatMap(of).reduce((total, value) => total + value, 0)
  const retries = timesOf(failing).flatMap(([refused, again]) =>
    refused === undefined || again === undefined ? [] : [again - refused],
  )
  const limitedTimes = [...limited.byEvent.values()].flat().sort((a, b) => a - b)
  return {
    jumps: jumped,
    published: publishedAt.size,
    lost: sum((arrivals) => timesOf(arrivals).map((times) => Math.max(0, wanted(arrivals) - times.length))),
    duplicates: sum((arrivals) =>
      timesOf(arrivals).map((times) => Math.max(0, times.length - wanted(arrivals))),
    ),
    early: retries.filter((ms) => ms < retryDelayMs - 100).length,
    overRate: limitedTimes.filter((at, index) => {
      const before = limitedTimes[index - 2 * rate - rate]
      return before !== undefined && at - before < 1000 - 200
    }).length,
    healthyMs: Math.round(
      Math.max(...[...publishedAt].map(([id, at]) => (healthy.byEvent.get(id)?.[0] ?? at + patienceMs) - at)),
    ),
    retryLateMs: Math.round(Math.max(...retries) - retryDelayMs),
    tookMs: Math.round(tookMs),
  }
}
