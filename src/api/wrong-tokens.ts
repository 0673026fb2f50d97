/**
 * Tokens that nobody has: counted, told in the log once a minute, and answered with 429 instead of 401 when one
 * address sends many.
 *
 * A valid token is let in whatever its address has sent before, so that nobody can lock out those who share an address,
 * as behind a proxy. From an address that is slowed, a token that was wrong a moment ago costs no look-up, and others are
 * looked up many at a time (`slow-look-ups.ts`): what is slowed is who guesses, and what guessing costs the store.
 */
import { isIPv6 } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { ApiMetrics } from './options.ts'

/** From one address at once, before it is slowed; a deploy with an old key gets 401, which says what is wrong. */
const burst = 100
/** One more of them. */
const refillMs = 1_000
const maxRetryAfterSeconds = 10
/** The table's bound: beyond, the address that was quiet for the longest is forgotten. */
const maxAddresses = 10_000
/** So many tokens are remembered as wrong, each for 10 s. */
const maxTokens = 10_000
const rememberMs = 10_000
const logEveryMs = 60_000
/** The first line waits so long, so that it tells of more than the first token. */
const firstLineMs = 1_000

export interface WrongTokens {
  /** Whether the address has sent so many that what it sends next is looked up later than others'. */
  isSlowed(address: string): boolean
  /** Whether the token was refused within the last 10 s. */
  isKnown(digest: string): boolean
  /** A key was changed: what was wrong may be right. */
  forgetTokens(): void
  /** What the caller is answered. `unauthorized` says what is wrong with its token. */
  refuse(sent: SentToken, unauthorized: OuthookError): OuthookError
  /** Logs what was not told yet. */
  close(): void
}

export interface SentToken {
  readonly address: string
  /** Of the token, which is not kept. */
  readonly digest: string
}

interface Address {
  /** Wrong tokens that count against it at `at`; they fade with time. */
  level: number
  at: number
  untold: number
}

export interface WrongTokensOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Pick<ApiMetrics, 'wrongToken'>
}

export function createWrongTokens({ clock, log, metrics }: WrongTokensOptions): WrongTokens {
  /** The one that was heard of last at the end. */
  const addresses = new Map<string, Address>()
  /** By digest, when it was refused; the latest at the end. */
  const tokens = new Map<string, number>()
  let untold = { count: 0, slowed: 0 }
  let cancel: (() => void) | null = null
  let toldAt = Number.NEGATIVE_INFINITY

  const tell = (): void => {
    cancel = null
    if (untold.count === 0) return
    let most: readonly [string, number] = ['', 0]
    let heardOf = 0
    for (const [name, address] of addresses) {
      if (address.untold > 0) heardOf++
      if (address.untold > most[1]) most = [name, address.untold]
      address.untold = 0
    }
    const { count, slowed } = untold
    log.warn(
      { count, slowed, addresses: heardOf, most_from: most[0], most_count: most[1] },
      'requests with unknown or revoked tokens',
    )
    untold = { count: 0, slowed: 0 }
    toldAt = clock.elapsed()
  }

  const levelNow = ({ level, at }: Address): number => Math.max(0, level - (clock.elapsed() - at) / refillMs)

  const hearOf = (name: string): Address => {
    const now = clock.elapsed()
    const known = addresses.get(name)
    addresses.delete(name)
    const level = known === undefined ? 0 : levelNow(known)
    const address = {
      level: Math.min(level + 1, burst + maxRetryAfterSeconds),
      at: now,
      untold: (known?.untold ?? 0) + 1,
    }
    if (addresses.size >= maxAddresses) addresses.delete(addresses.keys().next().value ?? '')
    addresses.set(name, address)
    return address
  }

  const rememberToken = (digest: string): void => {
    tokens.delete(digest)
    if (tokens.size >= maxTokens) tokens.delete(tokens.keys().next().value ?? '')
    tokens.set(digest, clock.elapsed())
  }

  return {
    isSlowed(address) {
      const known = addresses.get(networkOf(address))
      return known !== undefined && levelNow(known) >= burst
    },
    isKnown: (digest) => clock.elapsed() - (tokens.get(digest) ?? Number.NEGATIVE_INFINITY) < rememberMs,
    forgetTokens: () => tokens.clear(),
    refuse({ address, digest }, unauthorized) {
      rememberToken(digest)
      const { level } = hearOf(networkOf(address))
      const isSlowed = level > burst
      untold.count++
      if (isSlowed) untold.slowed++
      metrics.wrongToken(isSlowed ? 'slowed' : 'unknown')
      cancel ??= clock.schedule(Math.max(firstLineMs, toldAt + logEveryMs - clock.elapsed()), tell)
      if (!isSlowed) return unauthorized
      return new OuthookError(
        'rate_limited',
        `${unauthorized.message}; too many such tokens came from this address: wait, and send one that is in use`,
        { retryAfterSeconds: Math.min(Math.ceil(level - burst), maxRetryAfterSeconds) },
      )
    },
    close() {
      cancel?.()
      tell()
    },
  }
}

/** Who gets one IPv6 address has 2^64 of them, so the /64 counts. An IPv4 address may be written as one of IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [bare = ''] = address.split('%')
  const [head = '', tail] = bare.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '').toLowerCase()).join(':')}::/64`
}
