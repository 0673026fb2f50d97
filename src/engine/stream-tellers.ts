/** What processes on one store tell each other of the stream, while one of them has readers. */
import type { Clock } from '../core/clock.ts'
import { readStreamItem, type StreamItem, type StreamMissed } from '../core/stream-item.ts'
import { maxStreamMessageBytes, type StreamRelay } from '../store/port.ts'

/** Who asks is told for so long, and asks again well before that, however busy it is. */
const askedForMs = 15_000
const askEveryMs = 2000
const tellEveryMs = 100
/** Of each time: 600 kB/s, or some 1500 items. What is more is counted. */
const maxMessages = 8

export interface StreamTellersOptions {
  readonly clock: Clock
  readonly relay: StreamRelay | null
  /** Others have begun to read, or have ended. */
  readonly onChange: () => void
}

export class StreamTellers {
  readonly #options: StreamTellersOptions
  /** What this process asks for. */
  #asks: readonly string[] | 'all' = []
  #cancelAsk: (() => void) | null = null
  /** Tenants that others asked for, or `all`, with when that ends. */
  readonly #askedUntil = new Map<string, number>()
  #cancelEnd: (() => void) | null = null
  #untold: string[] = []
  #untoldBytes = 0
  #missed = 0
  #cancelTell: (() => void) | null = null

  constructor(options: StreamTellersOptions) {
    this.#options = options
  }

  get areReading(): boolean {
    return this.#askedUntil.size > 0
  }

  /** Goes on asking until it is called with none. */
  ask(tenants: readonly string[] | 'all'): void {
    this.#asks = tenants
    const { relay } = this.#options
    if (relay === null) return
    this.#cancelAsk?.()
    this.#cancelAsk = null
    if (tenants.length > 0) this.#askNow(relay)
  }

  asked(tenants: readonly string[] | 'all'): void {
    const until = this.#options.clock.elapsed() + askedForMs
    for (const tenant of tenants === 'all' ? ['all'] : tenants) this.#askedUntil.set(tenant, until)
    this.#options.onChange()
    this.#endLater()
  }

  tell(item: StreamItem): void {
    if (!this.#askedUntil.has('all') && !this.#askedUntil.has(item.tenantId)) return
    const text = JSON.stringify(item)
    const bytes = Buffer.byteLength(text) + 1
    if (this.#untoldBytes + bytes > maxMessages * maxStreamMessageBytes) this.#missed++
    else {
      this.#untold.push(text)
      this.#untoldBytes += bytes
    }
    this.#cancelTell ??= this.#options.clock.schedule(tellEveryMs, () => this.#tellNow())
  }

  /** What another process told. What this one does not know is left out. */
  read(message: string): readonly (StreamItem | StreamMissed)[] {
    try {
      const given: unknown = JSON.parse(message)
      return Array.isArray(given) ? given.map(readStreamItem).filter((item) => item !== null) : []
    } catch {
      return []
    }
  }

  close(): void {
    this.#cancelAsk?.()
    this.#cancelEnd?.()
    this.#cancelTell?.()
    this.#askedUntil.clear()
  }

  #askNow(relay: StreamRelay): void {
    relay.ask(this.#asks)
    this.#cancelAsk = this.#options.clock.schedule(askEveryMs, () => this.#askNow(relay))
  }

  #endLater(): void {
    this.#cancelEnd ??= this.#options.clock.schedule(askedForMs, () => {
      this.#cancelEnd = null
      const now = this.#options.clock.elapsed()
      for (const [tenant, until] of this.#askedUntil) if (until <= now) this.#askedUntil.delete(tenant)
      if (this.areReading) this.#endLater()
      else this.#options.onChange()
    })
  }

  /** What cannot be sent yet waits, within the bound of one time. */
  #tellNow(): void {
    this.#cancelTell = null
    const { relay, clock } = this.#options
    const at = clock.now()
    const missed: StreamMissed = { kind: 'missed', at, reason: 'other_process', count: this.#missed }
    const texts = this.#missed > 0 ? [...this.#untold, JSON.stringify(missed)] : this.#untold
    if (!this.areReading || relay?.tell(packMessages(texts)) === true) {
      this.#untold = []
      this.#untoldBytes = 0
      this.#missed = 0
    } else this.#cancelTell = clock.schedule(tellEveryMs, () => this.#tellNow())
  }
}

/** Lists of JSON, each as long as a message may be. One that is too long by itself is left out. */
export function packMessages(texts: readonly string[]): readonly string[] {
  const messages: string[][] = []
  let bytes = 0
  for (const text of texts) {
    const size = Buffer.byteLength(text) + 1
    if (size + 1 > maxStreamMessageBytes) continue
    const last = messages.at(-1)
    if (last === undefined || bytes + size + 1 > maxStreamMessageBytes) {
      messages.push([text])
      bytes = size
    } else {
      last.push(text)
      bytes += size
    }
  }
  return messages.map((message) => `[${message.join(',')}]`)
}
