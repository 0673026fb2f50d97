/** The `AlertSender` of a server, from its settings. */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { AlertSender } from './alert-sender.ts'
import { defaultChannels } from './severity.ts'

export interface ServerAlertSenderOptions {
  /**
   * `alerts=https://discord.com/api/webhooks/…,info=slack+https://…`. One URL without a name is the channel `alerts`,
   * and channels that are not named fall back to that one.
   */
  readonly channels: string
  /** Pinged by P0 alerts. */
  readonly mention: string | null
  /** The URL of the proxy that they go through; null: straight. */
  readonly proxy: string | null
  readonly log: Logger
  readonly clock: Clock
}

/** Errors: invalid_config, without any URL. */
export function createServerAlertSender(options: ServerAlertSenderOptions): AlertSender {
  const { channels, mention, proxy, log, clock } = options
  return new AlertSender({
    channels: parseAlertChannels(channels),
    fallbackChannel: defaultChannels.alerts,
    mention,
    ...(proxy !== null && { proxies: { get: () => proxy } }),
    log,
    clock,
  })
}

/** Errors: invalid_config. */
export function parseAlertChannels(text: string): Readonly<Record<string, readonly string[]>> {
  const channels = new Map<string, readonly string[]>()
  // Commas of a URL's own are left alone.
  for (const entry of text.split(/,\s*(?=[\w-]+=|(?:\w+\+)?https?:|telegram:)/)) {
    const [, name = defaultChannels.alerts, target = ''] =
      /^\s*(?:([\w-]+)=)?((?:\w+\+)?\w+:\/\/.*)$/.exec(entry) ?? []
    if (target === '') {
      const message =
        'alert-channels must look like "alerts=https://…,info=https://…"; give one URL per channel'
      throw new OuthookError('invalid_config', message)
    }
    channels.set(name, [...(channels.get(name) ?? []), target.trim()])
  }
  return Object.fromEntries(channels)
}
