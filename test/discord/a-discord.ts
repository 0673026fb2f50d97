/** A local Discord and webhooks of it that end with their test. */
import { onTestFinished } from 'vitest'
import { DiscordWebhook, type DiscordWebhookOptions } from '../../src/discord/discord-webhook.ts'
import { DiscordRateLimits } from '../../src/discord/rate-limits.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import { type LocalDiscord, type LocalDiscordOptions, startLocalDiscord } from './local-discord.ts'

export async function aDiscord(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
  const discord = await startLocalDiscord(options)
  onTestFinished(() => discord.close())
  return discord
}

/** A clock that jumps over the waits of many jumps far. */
const longTimeoutMs = 3_600_000

export function aWebhook(
  url: string | readonly string[],
  options: DiscordWebhookOptions = {},
): DiscordWebhook {
  const rateLimits = new DiscordRateLimits(options.clock === undefined ? {} : { clock: options.clock })
  const webhook = new DiscordWebhook(url, {
    rateLimits,
    random: () => 0.5,
    timeoutMs: longTimeoutMs,
    ...options,
  })
  onTestFinished(() => webhook.close())
  return webhook
}

/** Of real time: what was let go before a jump is to be counted in the window before it. */
const arrivalMs = 20

/**
 * A clock that jumps over every wait up to `maxWaitMs`: pauses between tries and for limits take hardly any time, timeouts of
 * requests still do.
 */
export function aJumpingClock(maxWaitMs = 2500): ManualClock & { readonly waits: readonly number[] } {
  const clock = createManualClock()
  const waits: number[] = []
  return {
    ...clock,
    waits,
    get pendingTimers() {
      return clock.pendingTimers
    },
    schedule(delayMs, callback) {
      const cancel = clock.schedule(delayMs, callback)
      if (delayMs <= maxWaitMs) {
        waits.push(delayMs)
        setTimeout(() => void clock.advance(delayMs), arrivalMs)
      }
      return cancel
    },
  }
}
