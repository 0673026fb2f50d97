/** The engine under test: the library, opened on a file, told what to publish. */
import type { OpenOptions, Outhook } from '../../src/outhook.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { makePayload } from '../harness/load-shape.ts'
import { monotonicNanos } from '../harness/monotonic.ts'
import { loadLibrary } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'
import { sendSteadily } from '../harness/steady-rate.ts'

export interface NewTarget {
  readonly uid: string
  readonly url: string
  readonly topic: string
  readonly maxInFlight?: number
}

export interface PublishJob {
  readonly count: number
  /** `publish()` calls at once. */
  readonly callers: number
  /** Taken in turn. */
  readonly topics: readonly string[]
}

/** Publishes at a steady rate whatever happens to what was published before. */
export interface Stream {
  readonly topics: readonly string[]
  readonly perSecond: number
  /** True: the receiver measures from the call of `publish()`. */
  readonly stamped: boolean
}

const endpointsAtOnce = 64

let hooks: Outhook | null = null
let attempts = 0
let waiting: { readonly count: number; readonly resolve: () => void } | null = null
let published = 0

const commands = {
  /** Resolves with the monotonic time at which it was open. */
  async open(options: OpenOptions): Promise<bigint> {
    const { Outhook } = await loadLibrary()
    attempts = 0
    hooks = await Outhook.open({ allowHttp: true, allowNetworks: ['127.0.0.0/8'], ...options })
    hooks.on('attempt', () => {
      attempts++
      if (waiting !== null && attempts >= waiting.count) waiting.resolve()
    })
    return monotonicNanos()
  },
  async addTargets(targets: readonly NewTarget[]): Promise<void> {
    for (let at = 0; at < targets.length; at += endpointsAtOnce) {
      const some = targets.slice(at, at + endpointsAtOnce)
      await Promise.all(
        some.map(({ topic, ...target }) => opened().endpoints.upsert({ ...target, topics: [topic] })),
      )
    }
  },
  /** Until the last event is durable. */
  async publish(job: PublishJob): Promise<Spent> {
    const spent = startMeter()
    await publishAll(job)
    return spent()
  },
  /** Milliseconds until one event is durable. */
  async acknowledge(topic: string): Promise<number> {
    const startedAt = performance.now()
    await opened().publish({ topic, payload: makePayload(published++) })
    return performance.now() - startedAt
  },
  /** Until the outcome of the last delivery is recorded; each event has one. */
  async publishAndDeliver(job: PublishJob): Promise<Spent> {
    const goal = attempts + job.count
    const spent = startMeter()
    await publishAll(job)
    await recorded(goal)
    return spent()
  },
  /** What it costs to be there, with what was left to do. */
  async idle(ms: number): Promise<Spent> {
    const spent = startMeter()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return spent()
  },
  /** Opens with dispatch; counts from the `warmUp`th recorded outcome until `count` more are. */
  async drain({
    warmUp,
    count,
    ...options
  }: OpenOptions & { warmUp: number; count: number }): Promise<Spent> {
    await commands.open(options)
    await recorded(warmUp)
    const spent = startMeter()
    await recorded(warmUp + count)
    return spent()
  },
  /** Runs all streams for so long; resolves with how late the publishes were made, and what it cost. */
  async stream({
    streams,
    seconds,
  }: {
    streams: readonly Stream[]
    seconds: number
  }): Promise<Spent & { lateMs: number }> {
    const spent = startMeter()
    const late = await Promise.all(streams.map((stream) => runStream(stream, seconds)))
    return { ...spent(), lateMs: Math.max(...late) }
  },
  rssBytes(): number {
    return process.memoryUsage.rss()
  },
  async close(): Promise<void> {
    await hooks?.close()
    hooks = null
  },
}

export type EngineCommands = typeof commands

function opened(): Outhook {
  if (hooks === null) throw new Error('not open')
  return hooks
}

async function publishAll({ count, callers, topics }: PublishJob): Promise<void> {
  const library = opened()
  let next = 0
  const call = async () => {
    while (next < count) {
      const index = next++
      await library.publish({ topic: topics[index % topics.length] as string, payload: makePayload(index) })
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
}

async function recorded(count: number): Promise<void> {
  if (attempts < count) await new Promise<void>((resolve) => (waiting = { count, resolve }))
  waiting = null
}

/** Resolves with the longest lateness, as `sendSteadily` does, and rejects when a publish fails. */
function runStream({ topics, perSecond, stamped }: Stream, seconds: number): Promise<number> {
  const library = opened()
  let sent = 0
  return new Promise((resolve, reject) => {
    const publish = () => {
      const topic = topics[sent++ % topics.length] as string
      const payload = makePayload(published++, stamped ? monotonicNanos() : 0n)
      library.publish({ topic, payload }).catch(reject)
    }
    sendSteadily({ perSecond, seconds }, publish).then(resolve, reject)
  })
}

serveCommands(commands)
