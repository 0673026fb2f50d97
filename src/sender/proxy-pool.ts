/** The built-in provider, for those who just have a list of proxies. */
import { inspect } from 'node:util'
import { type Clock, createSystemClock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { ProxyEntry, ProxyProvider } from './proxy-provider.ts'
import { ProxyRoute } from './proxy-route.ts'
import { readNumber } from './read-number.ts'

export interface ProxyPoolOptions {
  /** How long a proxy that failed is left out; doubles with each further failure in a row. Default 30 000. */
  readonly coolDownMs?: number
  /** The longest time to be left out for. Default 600 000. */
  readonly maxCoolDownMs?: number
  readonly clock?: Clock
}

/** How one proxy does. Holds no password. */
export interface ProxyState {
  /** `host:port`. */
  readonly proxy: string
  readonly healthy: boolean
  /** In a row. */
  readonly failures: number
  /** 0 when healthy. */
  readonly coolDownMs: number
}

interface Member {
  readonly url: string
  readonly hostPort: string
  failures: number
  /** On the clock's `elapsed()` scale. */
  resumesAt: number
}

/**
 * Gives its proxies in turn and leaves out those that failed lately. When all of them are left out it gives the one
 * that comes back first: a send through a doubtful proxy is better than none, and shows when it works again.
 *
 * @example
 * const proxies = new ProxyPool(['http://user:password@10.0.0.1:8080', 'socks5://10.0.0.2:1080'])
 * const webhook = new Webhook('https://example.com/hooks/1', { proxies })
 */
export class ProxyPool implements ProxyProvider {
  readonly #members: readonly Member[]
  readonly #coolDownMs: number
  readonly #maxCoolDownMs: number
  readonly #clock: Clock
  #turn = 0

  /** Errors: invalid_config, for an empty list, a proxy that cannot be read (by its position in the list), a wrong option. */
  constructor(proxies: readonly ProxyEntry[], options: ProxyPoolOptions = {}) {
    if (!Array.isArray(proxies) || proxies.length === 0) {
      throw new OuthookError('invalid_config', 'a ProxyPool needs at least one proxy; give a list of URLs')
    }
    this.#members = proxies.map((entry, index) => toMember(entry, index))
    this.#coolDownMs = readNumber('coolDownMs', options.coolDownMs ?? 30_000)
    this.#maxCoolDownMs = readNumber('maxCoolDownMs', options.maxCoolDownMs ?? 600_000)
    this.#clock = options.clock ?? createSystemClock()
  }

  get(): string {
    const now = this.#clock.elapsed()
    const count = this.#members.length
    let soonest = this.#members[this.#turn] as Member
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count
      const member = this.#members[index] as Member
      if (member.resumesAt <= now) {
        this.#turn = (index + 1) % count
        return member.url
      }
      if (member.resumesAt < soonest.resumesAt) soonest = member
    }
    return soonest.url
  }

  burn(proxy: ProxyEntry): void {
    const now = this.#clock.elapsed()
    for (const member of this.#find(proxy)) {
      // Sends that ran at the same time all saw the one failure.
      if (member.failures > 0 && member.resumesAt > now) continue
      member.failures++
      const coolDownMs = this.#coolDownMs * 2 ** (member.failures - 1)
      member.resumesAt = now + Math.min(coolDownMs, this.#maxCoolDownMs)
    }
  }

  succeeded(proxy: ProxyEntry): void {
    for (const member of this.#find(proxy)) {
      member.failures = 0
      member.resumesAt = 0
    }
  }

  /** In the order of the list. */
  states(): readonly ProxyState[] {
    const now = this.#clock.elapsed()
    return this.#members.map(({ hostPort, failures, resumesAt }) => ({
      proxy: hostPort,
      healthy: resumesAt <= now,
      failures,
      coolDownMs: Math.max(0, Math.ceil(resumesAt - now)),
    }))
  }

  toJSON(): unknown {
    return { proxies: this.states() }
  }

  [inspect.custom](_depth: number, options: object): string {
    return `ProxyPool ${inspect(this.states(), options)}`
  }

  #find(proxy: ProxyEntry): readonly Member[] {
    const url = typeof proxy === 'string' ? proxy : proxy.url
    return this.#members.filter((member) => member.url === url)
  }
}

function toMember(entry: ProxyEntry, index: number): Member {
  const url = typeof entry === 'string' ? entry : entry.url
  try {
    return { url, hostPort: ProxyRoute.parse(url).hostPort, failures: 0, resumesAt: 0 }
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'it cannot be read'
    throw new OuthookError('invalid_config', `proxy ${index + 1} of the list is wrong: ${problem}`)
  }
}
