import { createSystemClock } from '../../core/clock.ts'
import { secondsInBodyMs } from '../../core/retry-after.ts'
import { cutText } from '../../discord/limits.ts'
import type { Pacer } from '../../sender/pacer.ts'
import { Webhook } from '../../sender/webhook.ts'
import { parseResponse } from '../../sender/webhook-result.ts'
import { type AlertMessage, type AlertTransport, type TransportOptions, toResult } from '../transport.ts'
import { WebhooksByTries } from '../webhooks-by-tries.ts'

export interface TelegramTarget {
  /** Of the bot, as BotFather gave it. */
  readonly token: string
  readonly chatId: string | number
  /** Default `https://api.telegram.org`; a Bot API server of one's own. */
  readonly apiUrl?: string
}

const maxTextChars = 4096

/** A message of a Telegram bot. Text goes out as it is, without markup. */
export function telegramTransport(target: TelegramTarget, options: TransportOptions = {}): AlertTransport {
  const { token, chatId, apiUrl = 'https://api.telegram.org' } = target
  const pacer = createTelegramPacer(options)
  const base = `${apiUrl}/bot${token}`
  const webhooks = new WebhooksByTries(
    options,
    (own) => new Webhook(`${base}/sendMessage`, { ...own, pacer }),
  )
  return {
    kind: 'telegram',
    async send(message, { maxAttempts, ...rest }) {
      return toResult(await webhooks.for(maxAttempts).send(toTelegram(message, chatId), rest))
    },
    async probe(probeOptions) {
      const locate = (url: URL) => new URL(url.href.replace(/sendMessage$/, 'getMe'))
      return toResult(await webhooks.for(1).send({}, { ...probeOptions, locate }))
    },
    close: () => webhooks.close(),
  }
}

function toTelegram({ embed, text, severity }: AlertMessage, chatId: string | number): object {
  const fields = (embed?.fields ?? []).map(({ name, value }) => `${name}: ${value}`)
  const parts = [text, embed?.title, embed?.description, fields.join('\n'), embed?.footer?.text]
  return {
    chat_id: chatId,
    text: cutText(parts.filter(Boolean).join('\n\n'), maxTextChars),
    link_preview_options: { is_disabled: true },
    disable_notification: severity === 'P3' || severity === 'DEV',
  }
}

/** Telegram names the wait in `parameters.retry_after`, where nobody else does. */
function createTelegramPacer({ clock = createSystemClock() }: TransportOptions): Pacer {
  let closedUntil = 0
  return {
    delayMs: () => Math.max(0, closedUntil - clock.elapsed()),
    observe(_url, result) {
      if (result.kind !== 'response' || result.httpStatus !== 429) return
      const answer = parseResponse(result.response.body) as { parameters?: { retry_after?: unknown } } | null
      const waitMs = secondsInBodyMs(answer?.parameters?.retry_after)
      if (waitMs !== null) closedUntil = clock.elapsed() + waitMs
    },
  }
}
