/** What an `AlertSender` can be told, and what it takes when it is told nothing. */
import { type Clock, createSystemClock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { readNumber } from '../sender/read-number.ts'
import type { ThrottleOptions } from './alert-throttle.ts'
import type { OnFull } from './channel-queue.ts'
import type { ChannelTarget } from './channel-target.ts'
import { defaultChannels, type Severity } from './severity.ts'
import type { TransportOptions } from './transport.ts'

/** Two of `TransportOptions` have another default here: `timeoutMs` is 10 000 and `backoff.baseMs` 1000. */
export interface AlertSenderOptions extends TransportOptions {
  /**
   * Where each channel leads, by its name, see `ChannelTarget`. Blank or absent: the channel is off. Given transports
   * are closed with the sender.
   */
  readonly channels: Readonly<Record<string, ChannelTarget | undefined>>
  /** The master switch. Default true. */
  readonly enabled?: boolean | undefined
  /** Whom alerts come from. Default `outhook`. */
  readonly username?: string | undefined
  /** Of a picture beside the name; Discord only. */
  readonly avatarUrl?: string | undefined
  /** Gets a line for every embed that another channel got. Default `audit`; null for none. */
  readonly auditChannel?: string | null | undefined
  /** Tries of one alert in all. Default 5. */
  readonly maxAttempts?: number | undefined
  /** Channels of severities, instead of the usual ones. */
  readonly routes?: Readonly<Partial<Record<Severity, string>>> | undefined
  /** For alerts whose own channel is not configured. Default none: they are refused. */
  readonly fallbackChannel?: string | null | undefined
  /** Pinged by `P0` alerts only: `@everyone`, `@here`, `<@&role id>`, `<@user id>`. Default nobody. */
  readonly mention?: string | null | undefined
  /** Default: three of a key pass per minute. False switches it off. */
  readonly throttle?: ThrottleOptions | false | undefined
  /** Alerts that wait for one channel at most. Default 500. */
  readonly queueLimit?: number | undefined
  /** Which one is lost when a queue is full. Default `drop_new`. */
  readonly onFull?: OnFull | undefined
  /** Told of what is lost, without secrets. */
  readonly log?: Logger | undefined
}

export interface AlertSettings {
  readonly enabled: boolean
  readonly username: string
  readonly avatarUrl: string | undefined
  readonly auditChannel: string | null
  readonly maxAttempts: number
  readonly routes: Readonly<Partial<Record<Severity, string>>>
  readonly fallbackChannel: string | null
  readonly mention: string | null
  readonly throttle: Required<ThrottleOptions> | null
  readonly queueLimit: number
  readonly onFull: OnFull
  readonly log: Logger
  readonly clock: Clock
}

const atLeastOne = { min: 1, whole: true }

/** Errors: invalid_config. */
export function readAlertSettings(options: AlertSenderOptions): AlertSettings {
  const { throttle = {}, onFull = 'drop_new' } = options
  if (typeof options.channels !== 'object' || options.channels === null) {
    throw invalid('channels is missing; say where alerts go, such as { alerts: url }')
  }
  if (onFull !== 'drop_new' && onFull !== 'drop_oldest') {
    throw invalid("onFull must be 'drop_new' or 'drop_oldest'")
  }
  return {
    enabled: options.enabled ?? true,
    username: options.username ?? 'outhook',
    avatarUrl: options.avatarUrl,
    auditChannel: options.auditChannel === undefined ? defaultChannels.audit : options.auditChannel,
    maxAttempts: readNumber('maxAttempts', options.maxAttempts ?? 5, atLeastOne),
    routes: options.routes ?? {},
    fallbackChannel: options.fallbackChannel ?? null,
    mention: options.mention?.trim() || null,
    throttle:
      throttle === false
        ? null
        : {
            limit: readNumber('throttle.limit', throttle.limit ?? 3, atLeastOne),
            perMs: readNumber('throttle.perMs', throttle.perMs ?? 60_000, atLeastOne),
          },
    queueLimit: readNumber('queueLimit', options.queueLimit ?? 500, atLeastOne),
    onFull,
    log: options.log ?? silentLogger,
    clock: options.clock ?? createSystemClock(),
  }
}

/** Those for the webhooks underneath. Waits between tries start at a second: an alert is in no hurry to fail. */
export function transportOptions(options: AlertSenderOptions, clock: Clock): TransportOptions {
  const { maxRetryAfterMs, pool, proxies, guard, ca, hooks, random } = options
  return {
    clock,
    timeoutMs: options.timeoutMs ?? 10_000,
    backoff: options.backoff ?? { baseMs: 1000 },
    ...(maxRetryAfterMs === undefined ? {} : { maxRetryAfterMs }),
    ...(pool === undefined ? {} : { pool }),
    ...(proxies === undefined ? {} : { proxies }),
    ...(guard === undefined ? {} : { guard }),
    ...(ca === undefined ? {} : { ca }),
    ...(hooks === undefined ? {} : { hooks }),
    ...(random === undefined ? {} : { random }),
  }
}

function invalid(message: string): OuthookError {
  return new OuthookError('invalid_config', message)
}
