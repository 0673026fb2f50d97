/**
 * Names to addresses, without letting slow names hold up the others.
 *
 * `dns.lookup` runs `getaddrinfo` on libuv's thread pool: four threads by default, shared with file access, and a
 * lookup whose name server does not answer holds one for 5 to 30 s and cannot be cancelled. Hence:
 * - an answer, good or bad, is kept for 5 s, and callers who ask meanwhile share one lookup;
 * - names that have not answered yet, failed, or took over a second may hold half of the threads at most;
 *   names that answered promptly the last time never wait behind them.
 * `dns.resolve` needs no thread but knows neither /etc/hosts nor search domains nor mDNS, so names that work
 * everywhere else on the machine would fail here.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import type { Clock } from '../core/clock.ts'

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** All addresses of a name, in the order to try them; rejects when there are none. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>

export const lookupAddresses: Lookup = (hostname) => systemLookup(hostname, { all: true })

export interface ResolverOptions {
  readonly clock: Clock
  readonly lookup?: Lookup
  /** How long an answer or a failure is kept. */
  readonly keepMs?: number
  /** Lookups at one time of names that are not known to answer promptly. */
  readonly maxDoubtful?: number
}

interface Entry {
  answer: Promise<readonly ResolvedAddress[]>
  settled: boolean
  /** When the lookup itself began, after any wait for a thread. */
  askedAt: number
  keepUntil: number
  /** Answered, and promptly, the last time. */
  trusted: boolean
}

const defaultKeepMs = 5000
const promptMs = 1000
const maxEntries = 4096
const noAnswer: Promise<readonly ResolvedAddress[]> = Promise.resolve([])

export class Resolver {
  readonly #clock: Clock
  readonly #lookup: Lookup
  readonly #keepMs: number
  readonly #maxDoubtful: number
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: (() => void)[] = []
  #doubtful = 0

  constructor(options: ResolverOptions) {
    this.#clock = options.clock
    this.#lookup = options.lookup ?? lookupAddresses
    this.#keepMs = options.keepMs ?? defaultKeepMs
    this.#maxDoubtful = options.maxDoubtful ?? Math.max(1, Math.floor(threadPoolSize() / 2))
  }

  resolve(hostname: string): Promise<readonly ResolvedAddress[]> {
    const known = this.#entries.get(hostname)
    if (known !== undefined && (!known.settled || this.#clock.elapsed() < known.keepUntil))
      return known.answer
    const entry: Entry = {
      answer: noAnswer,
      settled: false,
      askedAt: 0,
      keepUntil: 0,
      trusted: known?.trusted ?? false,
    }
    entry.answer = this.#ask(hostname, entry)
    this.#entries.delete(hostname)
    this.#entries.set(hostname, entry)
    this.#forgetOldest()
    const settle = (answered: boolean) => {
      const now = this.#clock.elapsed()
      entry.settled = true
      entry.keepUntil = now + this.#keepMs
      entry.trusted = answered && now - entry.askedAt < promptMs
    }
    entry.answer.then(
      () => settle(true),
      () => settle(false),
    )
    return entry.answer
  }

  async #ask(hostname: string, entry: Entry): Promise<readonly ResolvedAddress[]> {
    entry.askedAt = this.#clock.elapsed()
    if (entry.trusted) return await this.#lookup(hostname)
    if (this.#doubtful >= this.#maxDoubtful) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#doubtful++
    try {
      entry.askedAt = this.#clock.elapsed()
      return await this.#lookup(hostname)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#doubtful--
      else next()
    }
  }

  #forgetOldest(): void {
    if (this.#entries.size <= maxEntries) return
    for (const [hostname, entry] of this.#entries) {
      if (!entry.settled) continue
      this.#entries.delete(hostname)
      return
    }
  }
}

function threadPoolSize(): number {
  const configured = Number(process.env.UV_THREADPOOL_SIZE)
  return Number.isInteger(configured) && configured > 0 ? configured : 4
}
