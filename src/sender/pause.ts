/** Waiting, so that it can be cut short and never ends too early. */
import { MessageChannel } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'

export interface PauseOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/** Resolves after `ms`, not sooner, or as soon as the signal aborts. */
export function pause(ms: number, options: PauseOptions): Promise<void> {
  const { clock, signal } = options
  if (signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const until = clock.elapsed() + ms
    const release = holdProcess()
    const end = () => {
      cancel()
      release()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const look = () => {
      // Node's timers may fire up to 1 ms early, and are cut at 24 days.
      const left = until - clock.elapsed()
      if (left <= 0) end()
      else cancel = clock.schedule(Math.ceil(left), look)
    }
    let cancel = clock.schedule(Math.ceil(ms), look)
    signal?.addEventListener('abort', end)
  })
}

export type Answered<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'timeout' }

/** What `ask` gives within the time, however it gives it; rejects when it throws. Ends early by the signal. */
export async function within<T>(
  ms: number,
  ask: () => T | PromiseLike<T>,
  options: PauseOptions,
): Promise<Answered<T>> {
  const given = ask()
  if (!isPromise(given)) return { kind: 'value', value: given }
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  try {
    const late = pause(ms, { clock: options.clock, signal }).then(() => ({ kind: 'timeout' }) as const)
    const answer = Promise.resolve(given).then((value) => ({ kind: 'value', value }) as const)
    return await Promise.race([answer, late])
  } finally {
    stop.abort()
  }
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

let holders = 0
let hold: MessageChannel | null = null

/**
 * The clock's timers do not keep a process alive, and a script that awaits a retry has nothing else that does.
 * An open port does until the last pause has ended.
 */
function holdProcess(): () => void {
  if (holders++ === 0) {
    hold = new MessageChannel()
    hold.port1.ref()
  }
  return () => {
    if (--holders > 0) return
    hold?.port1.close()
    hold = null
  }
}
