/**
 * Examines the store for whoever asks: one examination at a time, whose findings are everybody's for a while.
 *
 *     nobody has asked ─► under way ─► found, kept for some seconds ─► (asked again) under way
 *                          └─ late: whoever asks is told so at once
 *                              └─ given up: as soon as it has let go of the store, the next one may begin
 */
import type { Clock } from '../core/clock.ts'
import type { Finding } from '../core/finding.ts'
import type { StoreExamination } from './system.ts'

/** However often it is asked for, the store is examined once in so long. */
const keptMs = 5_000
/** What takes longer is told as not ended, and is there for whoever asks afterwards. */
const patienceMs = 10_000
/** What takes longer is given up: the store hangs, and what hangs with it finds nothing once the store is back. */
const limitMs = 60_000
/** Of one that is given up because the process ends; what hangs in the operating system is not waited for longer. */
const lettingGoMs = 2_000

export interface StoreExaminerOptions {
  /** Settles once it has let go of the store, soon after `signal` says so. May reject then. */
  readonly examine: (signal: AbortSignal) => Promise<Pick<StoreExamination, 'findings' | 'lengthyChecks'>>
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'schedule'>
}

interface Running {
  readonly found: Promise<StoreExamination>
  /** Once it has let go of the store. Never rejects. */
  readonly ended: Promise<void>
  readonly abort: AbortController
  readonly startedAt: number
  /** On the elapsed scale, as the start is; null: it is under way. */
  endedAt: number | null
}

export class StoreExaminer {
  readonly #options: StoreExaminerOptions
  /** Readers listen while they wait: what they left on a promise would stay as long as the process. */
  readonly #stopping = new AbortController()
  #running: Running | null = null

  constructor(options: StoreExaminerOptions) {
    this.#options = options
  }

  /** Within `patienceMs`, whatever the store does. */
  async read(): Promise<StoreExamination> {
    const { clock } = this.#options
    const stopping = this.#stopping.signal
    const without = Promise.withResolvers<StoreExamination>()
    const tellStopping = () =>
      without.resolve(this.#without('the process is stopping', 'ask another process'))
    const tellLate = () =>
      without.resolve(
        this.#without(
          `the examination has not ended within ${patienceMs / 1000} s`,
          'ask again; or run "outhook doctor", which waits for longer',
        ),
      )
    if (stopping.aborted) {
      tellStopping()
      return without.promise
    }
    const { found, startedAt } = this.#current()
    const leftMs = startedAt + patienceMs - clock.elapsed()
    // What is found already comes first nevertheless.
    if (leftMs <= 0) tellLate()
    const cancel = clock.schedule(Math.max(0, leftMs), tellLate)
    stopping.addEventListener('abort', tellStopping)
    try {
      return await Promise.race([found, without.promise])
    } finally {
      cancel()
      stopping.removeEventListener('abort', tellStopping)
    }
  }

  /** Gives up the one that is under way, and tells so whoever waits for it. Can be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const running = this.#running
    if (running === null || running.endedAt !== null) return
    running.abort.abort()
    const waited = Promise.withResolvers<void>()
    const cancel = this.#options.clock.schedule(lettingGoMs, () => waited.resolve())
    await Promise.race([running.ended, waited.promise])
    cancel()
  }

  /** Whoever asks meanwhile, or soon after, gets the same. */
  #current(): Running {
    const { clock } = this.#options
    const known = this.#running
    const isKept =
      known !== null &&
      (known.endedAt === null || (!known.abort.signal.aborted && clock.elapsed() - known.endedAt < keptMs))
    if (isKept) return known
    this.#running = this.#begin()
    return this.#running
  }

  #begin(): Running {
    const { clock, examine } = this.#options
    const abort = new AbortController()
    const examined = examine(abort.signal)
    const running: Running = {
      found: examined.then((found) =>
        // Cut off in the middle, it has found less than there is.
        abort.signal.aborted ? new Promise<never>(() => {}) : { at: clock.now(), ...found },
      ),
      ended: examined.then(
        () => {},
        () => {},
      ),
      abort,
      startedAt: clock.elapsed(),
      endedAt: null,
    }
    const cancel = clock.schedule(limitMs, () => abort.abort())
    // Whoever asks hears of it; it may be that nobody does.
    running.found.catch(() => {})
    running.ended.then(() => {
      cancel()
      running.endedAt = clock.elapsed()
    })
    return running
  }

  #without(found: string, advice: string): StoreExamination {
    const finding: Finding = { check: 'store', level: 'problem', found, advice }
    return { at: this.#options.clock.now(), findings: [finding], lengthyChecks: [] }
  }
}
