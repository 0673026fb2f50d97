/**
 * Tells readers what happens, in this process and in the others on the store, as it happens. While nobody reads, here
 * or elsewhere, whoever has something to tell looks at one flag and goes on.
 *
 * Other processes tell this one by notifications of the database, which hints use already. Looking for the newest rows
 * was tried in thought and left: attempts and deliveries are kept by the time of their event, so a retry of an old one
 * stands nowhere near the end of an index, and one more index would be written for every delivery, whoever reads or not.
 */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { isWanted, type StreamFilter, type StreamItem } from '../core/stream-item.ts'
import { StreamReader, type TakesStream } from './stream-reader.ts'
import { StreamTellers } from './stream-tellers.ts'

const maxReaders = 256
/** Of one tenant, so that one customer's pages do not keep others out. */
const maxReadersOfTenant = 32

export interface ActivityStreamOptions {
  readonly clock: Clock
  /** The other processes; null: there are none. */
  readonly relay: ConstructorParameters<typeof StreamTellers>[0]['relay']
}

export class ActivityStream {
  readonly #clock: Clock
  readonly #readers = new Set<StreamReader>()
  readonly #others: StreamTellers
  readonly #watchers = new Set<(wanted: boolean) => void>()
  #isWanted = false
  #closed = false

  constructor({ clock, relay }: ActivityStreamOptions) {
    this.#clock = clock
    this.#others = new StreamTellers({ clock, relay, onChange: () => this.#update() })
  }

  /** Somebody wants to know, here or in another process. */
  get isWanted(): boolean {
    return this.#isWanted
  }

  now(): number {
    return this.#clock.now()
  }

  /** Called with each change of `isWanted`. */
  watch(onChange: (wanted: boolean) => void): void {
    this.#watchers.add(onChange)
  }

  /** What happened in this process. */
  tell(item: StreamItem): void {
    if (!this.#isWanted) return
    this.#give(item)
    this.#others.tell(item)
  }

  /**
   * Gives the reader what happens from now on, until the returned function is called. `after`: it has read before, and
   * was away. Errors: rate_limited (the tenant has too many readers), overloaded (all have), shutting_down.
   */
  read(filter: StreamFilter, takes: TakesStream, after = false): () => void {
    this.#checkRoom(filter.tenantId)
    const reader = new StreamReader({ filter, takes, clock: this.#clock })
    this.#readers.add(reader)
    if (after) reader.miss('reconnected', null)
    this.#askOthers()
    return () => {
      reader.stop()
      if (this.#readers.delete(reader)) this.#askOthers()
    }
  }

  /** Another process has readers. */
  asked(tenants: readonly string[] | 'all'): void {
    if (!this.#closed) this.#others.asked(tenants)
  }

  /** Another process told something. */
  heard(message: string): void {
    if (this.#readers.size === 0) return
    for (const item of this.#others.read(message)) {
      if (item.kind === 'missed') this.#missed(item.count)
      else this.#give(item)
    }
  }

  /** Something of the others may not have been heard. */
  gap(): void {
    if (this.#readers.size === 0) return
    this.#missed(null)
    this.#askOthers()
  }

  /** Tells readers that it ends. Can be called twice. */
  close(): void {
    this.#closed = true
    for (const reader of [...this.#readers]) {
      reader.stop()
      reader.takes.end()
    }
    this.#readers.clear()
    this.#others.close()
    this.#update()
  }

  #give(item: StreamItem): void {
    for (const reader of this.#readers) {
      if (isWanted(item, reader.filter)) reader.add(item)
    }
  }

  #missed(count: number | null): void {
    for (const reader of this.#readers) reader.miss('other_process', count)
  }

  #checkRoom(tenantId: string | null): void {
    if (this.#closed)
      throw new OuthookError('shutting_down', 'it is being closed, and tells nothing any more')
    if (this.#readers.size >= maxReaders) {
      throw new OuthookError(
        'overloaded',
        `the stream has ${maxReaders} readers, which is all that one process takes; try again later`,
        { retryAfterSeconds: 10 },
      )
    }
    if (tenantId === null) return
    const ofTenant = [...this.#readers].filter(({ filter }) => filter.tenantId === tenantId).length
    if (ofTenant < maxReadersOfTenant) return
    throw new OuthookError(
      'rate_limited',
      `the stream has ${maxReadersOfTenant} readers of this tenant, which is all that one process takes; end one and try again`,
      { retryAfterSeconds: 10 },
    )
  }

  #askOthers(): void {
    const tenants = new Set([...this.#readers].map(({ filter }) => filter.tenantId))
    this.#others.ask(tenants.has(null) ? 'all' : [...tenants].filter((id) => id !== null))
    this.#update()
  }

  #update(): void {
    const isNow = !this.#closed && (this.#readers.size > 0 || this.#others.areReading)
    if (isNow === this.#isWanted) return
    this.#isWanted = isNow
    for (const onChange of this.#watchers) onChange(isNow)
  }
}
