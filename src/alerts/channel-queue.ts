/** The alerts that wait for one channel: bounded, in order, one on its way at a time. */

export type OnFull = 'drop_new' | 'drop_oldest'

export interface ChannelQueueOptions<Job> {
  /** Those on their way included. */
  readonly limit: number
  readonly onFull: OnFull
  /** Must not reject. */
  readonly carry: (job: Job) => Promise<void>
  readonly onDropped: (job: Job) => void
}

export class ChannelQueue<Job> {
  readonly #options: ChannelQueueOptions<Job>
  #jobs: Job[] = []
  #first = 0
  #carrying = false
  #onIdle: (() => void)[] = []

  constructor(options: ChannelQueueOptions<Job>) {
    this.#options = options
  }

  get size(): number {
    return this.#jobs.length - this.#first + (this.#carrying ? 1 : 0)
  }

  /** False when there was no room for it. */
  offer(job: Job): boolean {
    const { limit, onFull, onDropped } = this.#options
    if (this.size >= limit) {
      const oldest = onFull === 'drop_oldest' ? this.#take() : undefined
      // The one that is on its way cannot be dropped any more.
      if (oldest === undefined) {
        onDropped(job)
        return false
      }
      onDropped(oldest)
    }
    this.#jobs.push(job)
    if (!this.#carrying) void this.#carryAll()
    return true
  }

  /** Resolves once nothing waits and nothing is on its way. */
  idle(): Promise<void> {
    if (!this.#carrying) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle.push(resolve)
    })
  }

  /** Takes away what waits. */
  clear(): readonly Job[] {
    const left = this.#jobs.slice(this.#first)
    this.#jobs = []
    this.#first = 0
    return left
  }

  async #carryAll(): Promise<void> {
    this.#carrying = true
    for (let job = this.#take(); job !== undefined; job = this.#take()) await this.#options.carry(job)
    this.#carrying = false
    const waiting = this.#onIdle
    this.#onIdle = []
    for (const resolve of waiting) resolve()
  }

  /** Without moving the rest each time. */
  #take(): Job | undefined {
    const job = this.#jobs[this.#first]
    if (job === undefined) return undefined
    this.#first++
    if (this.#first > 1000 && this.#first * 2 > this.#jobs.length) {
      this.#jobs = this.#jobs.slice(this.#first)
      this.#first = 0
    }
    return job
  }
}
