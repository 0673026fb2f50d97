/**
 * What a process knows of the URLs of one endpoint: whose turn it is, and which could not be reached of late. Those rest,
 * longer each time, and are tried when their rest is over, by one request first; until then they come last.
 */

/** After the first failure; doubled with each that follows. */
const firstRestMs = 5000
const longestRestMs = 60_000

interface Rest {
  readonly failures: number
  readonly until: number
}

export class UrlPool {
  #turn = 0
  readonly #resting = new Map<string, Rest>()

  /** In the order in which a request that is made now tries them. `now` is on the elapsed scale. */
  inOrder<T extends PooledUrl>(urls: readonly T[], now: number): readonly T[] {
    const first = this.#turn % urls.length
    this.#turn = first + 1
    const round = [...urls.slice(first), ...urls.slice(0, first)]
    if (this.#resting.size === 0) return round
    for (const href of this.#resting.keys()) {
      // The endpoint no longer has it.
      if (!urls.some((url) => url.href === href)) this.#resting.delete(href)
    }
    const awake = round.filter(({ href }) => (this.#resting.get(href)?.until ?? 0) <= now)
    const resting = round
      .filter((url) => !awake.includes(url))
      .sort((one, other) => this.#restOf(one) - this.#restOf(other))
    const [next] = awake
    // Or else the one behind a resting one would get its requests as well.
    if (next !== undefined) this.#turn = urls.indexOf(next) + 1
    const rest = next === undefined ? undefined : this.#resting.get(next.href)
    // Others pass it over until it has answered.
    if (next !== undefined && rest !== undefined)
      this.#resting.set(next.href, { ...rest, until: now + firstRestMs })
    return [...awake, ...resting]
  }

  reached({ href }: PooledUrl): void {
    this.#resting.delete(href)
  }

  notReached({ href }: PooledUrl, now: number): void {
    const failures = (this.#resting.get(href)?.failures ?? 0) + 1
    const restMs = Math.min(longestRestMs, firstRestMs * 2 ** (failures - 1))
    this.#resting.set(href, { failures, until: now + restMs })
  }

  #restOf({ href }: PooledUrl): number {
    return this.#resting.get(href)?.until ?? 0
  }
}

export interface PooledUrl {
  readonly href: string
}

/** Endpoints of several URLs whose state is kept: those that were sent to last. */
const maxPools = 10_000

/** Of one process. */
export class UrlPools {
  readonly #pools = new Map<string, UrlPool>()

  of(endpointId: string): UrlPool {
    const known = this.#pools.get(endpointId)
    if (known !== undefined) return known
    const pool = new UrlPool()
    this.#pools.set(endpointId, pool)
    const oldest = this.#pools.keys().next()
    if (this.#pools.size > maxPools && !oldest.done) this.#pools.delete(oldest.value)
    return pool
  }
}
