/** What an `AlertSender` can be told, and what it takes when it is told nothing. */
import { type Clock, createSystemClock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { ThrottleOptions } from './alert-throttle.ts'
import type { OnFull } from './channel-queue.ts'
import type { ChannelTarget } from './channel-target.ts'
import { defaultChannels, type Severity } from './severity.ts'
import type { TransportOptions } from './transport.ts'

export interface AlertSenderOptions extends TransportOptions {
  /** Where each channel leads. Blank or absent: the channel is off. Given transports are closed with the sender. */
  readonly channels: Readonly<Record<string, ChannelTarget | undefined>>
  /** The master switch. Default true. */
  readonly enabled?: boolean | undefined
  /** Default `outhook`. */
  readonly username?: string | undefined
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
  /** False switches it off. */
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

/** Errors: invalid_config. */
export function readAlertSettings(options: AlertSenderOptions): AlertSettings {
  const { throttle = {} } = options
  return {
    enabled: options.enabled ?? true,
    username: options.username ?? 'outhook',
    avatarUrl: options.avatarUrl,
    auditChannel: options.auditChannel === undefined ? defaultChannels.audit : options.auditChannel,
    maxAttempts: atLeastOne('maxAttempts', options.maxAttempts ?? 5),
    routes: options.routes ?? {},
    fallbackChannel: options.fallbackChannel ?? null,
    mention: options.mention?.trim() || null,
    throttle:
      throttle === false
        ? null
        : {
            limit: atLeastOne('throttle.limit', throttle.limit ?? 3),
            perMs: atLeastOne('throttle.perMs', throttle.perMs ?? 60_000),
          },
    queueLimit: atLeastOne('queueLimit', options.queueLimit ?? 500),
    onFull: options.onFull ?? 'drop_new',
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

function atLeastOne(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new OuthookError('invalid_config', `${name} must be a whole number of 1 or more`)
}
