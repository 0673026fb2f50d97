/** The stream as a program reads it: a loop over what happens. */
import {
  checkStreamKind,
  type StreamFilter,
  type StreamItem,
  type StreamKind,
  type StreamMissed,
} from './core/stream-item.ts'
import { checkTopicFilter } from './core/topics.ts'
import type { Engine } from './engine/engine.ts'
import { invalid } from './publish-input.ts'

export interface StreamOptions {
  /** `event`, `attempt`, `delivery`, `endpoint`, `job`. Default all. `missed` comes in any case. */
  readonly kinds?: readonly StreamKind[]
  /** What is of these topics only: a topic, `prefix.*` or `*`. */
  readonly topicPattern?: string
  /** What is of this endpoint only, which events and jobs are not. */
  readonly endpointId?: string
  /** Ends the loop, which then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** What a loop has not taken yet; the rest is counted as missed. */
const maxWaiting = 1000

type Told = StreamItem | StreamMissed

/** Ends when the store is closed. Nobody waits for the loop. */
export async function* streamItems(
  engine: Pick<Engine, 'stream'>,
  findTenant: () => string | null | Promise<string>,
  options: StreamOptions = {},
): AsyncGenerator<Told, void, undefined> {
  const { signal, ...filter } = options
  const checked = { ...checkOptions(filter), tenantId: await findTenant() }
  const waiting: Told[] = []
  let lost = 0
  let isOver = false
  let wake = (): void => undefined
  const take = (items: readonly Told[]): void => {
    const room = Math.max(0, maxWaiting - waiting.length)
    waiting.push(...items.slice(0, room))
    for (const item of items.slice(room)) lost += item.kind === 'missed' ? (item.count ?? 0) : 1
    wake()
  }
  const end = (): void => {
    isOver = true
    wake()
  }
  const abort = (): void => wake()
  const stop = engine.stream.read(checked, { take, end })
  signal?.addEventListener('abort', abort)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const items = waiting.splice(0)
      yield* items
      const last = items.at(-1)
      if (lost > 0 && last !== undefined) {
        const count = lost
        lost = 0
        yield { kind: 'missed', at: last.at, reason: 'too_many', count }
      }
      if (waiting.length > 0) continue
      if (isOver) return
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if (signal?.aborted !== true) await promise
    }
  } finally {
    stop()
    signal?.removeEventListener('abort', abort)
  }
}

const names: readonly string[] = ['kinds', 'topicPattern', 'endpointId']

function checkOptions(given: Omit<StreamOptions, 'signal'>): Omit<StreamFilter, 'tenantId'> {
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw invalid(
      `the stream has no option ${unknown.slice(0, 64)}; there are ${names.join(', ')} and signal`,
    )
  }
  const { kinds, topicPattern, endpointId } = given
  return {
    kinds: kinds?.map((kind) => checkStreamKind(String(kind))),
    topicPattern: topicPattern && checkTopicFilter(topicPattern, 'topicPattern'),
    endpointId,
  }
}
