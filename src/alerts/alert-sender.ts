/**
 * Alerts for people, out of a program that must not suffer from them: never throws, never waits for the network,
 * never takes more memory than its queues.
 *
 *     alert ─► switch, route ─► throttle ─► queue of its channel ─► transport ─► audit mirror
 *                                  └─► summary, later
 */
import { inspect } from 'node:util'
import { OuthookError } from '../core/errors.ts'
import type { DiscordEmbed } from '../discord/message.ts'
import { pause } from '../sender/pause.ts'
import type { Alert, AlertAcceptance, AlertResult, AlertStats, EmbedOptions, ProbeResult } from './alert.ts'
import { AlertDelivery, undelivered } from './alert-delivery.ts'
import {
  type AlertSenderOptions,
  type AlertSettings,
  readAlertSettings,
  transportOptions,
} from './alert-options.ts'
import { AlertThrottle } from './alert-throttle.ts'
import { type ChannelTarget, toTransport } from './channel-target.ts'
import { composeAlert, composeEmbed, composeSummary, composeText, routeOf } from './compose-message.ts'
import { type AlertEnvironment, readEnvironment } from './environment.ts'
import { isSeverity } from './severity.ts'
import type { AlertMessage } from './transport.ts'

const defaultCloseMs = 10_000

/**
 * @example
 * const alerts = AlertSender.fromEnv()
 * alerts.notify({ severity: 'P1', title: 'Payments are failing', description: 'card processor answers 503' })
 * await alerts.close()
 */
export class AlertSender {
  readonly #settings: AlertSettings
  readonly #delivery: AlertDelivery
  readonly #throttle: AlertThrottle<Alert> | null
  #closed: Promise<boolean> | null = null

  /** Errors: invalid_config, which names the channel and not its URL. */
  constructor(options: AlertSenderOptions) {
    this.#settings = readAlertSettings(options)
    this.#delivery = new AlertDelivery(this.#settings)
    const { throttle, clock } = this.#settings
    const own = transportOptions(options, clock)
    for (const [name, target] of Object.entries(options.channels)) {
      const transport = target === undefined ? null : readTarget(name, () => toTransport(target, own))
      if (transport !== null) this.#delivery.open(name, transport)
    }
    const onSummary = (first: Alert, heldBack: number) => this.#summarize(first, heldBack)
    this.#throttle = throttle === null ? null : new AlertThrottle({ ...throttle, clock, onSummary })
  }

  /**
   * Channels, master switch and mention from the environment, see `readEnvironment`; `options` wins. A variable that
   * cannot be used is logged and leaves its channel off: a program must not fail to start by its alerts.
   */
  static fromEnv(
    env: AlertEnvironment = process.env,
    options: Partial<AlertSenderOptions> = {},
  ): AlertSender {
    const { channels, ...found } = readEnvironment(env)
    const { log } = readAlertSettings({ channels: {}, log: options.log })
    const usable = Object.entries(channels).filter(([name, target]) => isUsable(name, target, log))
    return new AlertSender({
      ...found,
      ...options,
      channels: { ...Object.fromEntries(usable), ...options.channels },
    })
  }

  /** The master switch is on and there is a channel. */
  get enabled(): boolean {
    return this.#settings.enabled && this.channels.length > 0
  }

  /** Names only. */
  get channels(): readonly string[] {
    return this.#delivery.names
  }

  /** Says it and goes on: the alert is on its way, or the answer says why not. */
  notify(alert: Alert): AlertAcceptance {
    return this.#offerAlert(alert, () => {})
  }

  /** The same, and resolves when it is known what became of it. */
  send(alert: Alert): Promise<AlertResult> {
    return new Promise((resolve) => {
      const acceptance = this.#offerAlert(alert, resolve)
      // An accepted one settles when it ends.
      if (acceptance !== 'accepted') resolve(undelivered(acceptance, null))
    })
  }

  /** An embed as it is, neither labelled nor throttled. True when it got there. */
  async sendEmbed(channel: string, embed: DiscordEmbed, options: EmbedOptions = {}): Promise<boolean> {
    const { content = '', mirrorToAudit = true, allowedMentions } = options ?? {}
    const message = composeEmbed(embed, channel, this.#settings)
    return await this.#sendMessage({ ...message, text: content, allowedMentions }, mirrorToAudit)
  }

  /** Text as it is, cut at what the channel takes. True when it got there. */
  async sendText(
    channel: string,
    text: string,
    options: Pick<EmbedOptions, 'allowedMentions'> = {},
  ): Promise<boolean> {
    const { allowedMentions } = options ?? {}
    const message = composeText(String(text), channel, this.#settings)
    return await this.#sendMessage({ ...message, allowedMentions }, false)
  }

  /**
   * Asks each channel, at the start of a program, whether alerts would get there, and posts nothing. With `text` that
   * is posted to `channels` (default: all), such as to one that everybody has muted.
   */
  async probe(
    options: { readonly text?: string; readonly channels?: readonly string[] } = {},
  ): Promise<readonly ProbeResult[]> {
    if (!this.#settings.enabled || this.#closed !== null) return []
    const names = options.channels ?? this.channels
    return await Promise.all(names.map((name) => this.#delivery.probe(name, options.text)))
  }

  stats(): AlertStats {
    return this.#delivery.stats
  }

  /**
   * Resolves when everything said so far has been delivered or given up, summaries and mirrors too; false when
   * `timeoutMs` was not enough for that.
   */
  async flush(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    this.#throttle?.summarizeAll()
    const { timeoutMs } = options
    if (timeoutMs === undefined) return await this.#delivery.idle()
    const enough = new AbortController()
    const late = pause(timeoutMs, { clock: this.#settings.clock, signal: enough.signal }).then(() => false)
    try {
      return await Promise.race([this.#delivery.idle(), late])
    } finally {
      enough.abort()
    }
  }

  /** Takes nothing new, flushes for at most `timeoutMs` (default 10 s), gives up the rest. Answers as `flush`. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    this.#closed ??= this.flush({ timeoutMs: options.timeoutMs ?? defaultCloseMs }).then(
      async (isFlushed) => {
        await this.#delivery.close()
        return isFlushed
      },
    )
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  toJSON(): Record<string, unknown> {
    return { enabled: this.enabled, channels: this.channels, ...this.stats() }
  }

  [inspect.custom](): string {
    return `AlertSender ${inspect(this.toJSON())}`
  }

  /** Never throws. */
  #offerAlert(alert: Alert, settle: (result: AlertResult) => void): AlertAcceptance {
    try {
      if (!this.#settings.enabled) return 'disabled'
      if (!isSeverity(alert.severity)) return this.#refuseInvalid(null)
      if (this.#closed !== null) return 'closed'
      const channel = this.#openChannel(routeOf(alert, this.#settings))
      if (channel === null) return 'no_channel'
      const message = composeAlert(alert, channel, this.#settings)
      const key = `${channel} ${alert.key ?? `${alert.severity} ${alert.title}`}`
      if (this.#throttle !== null && !this.#throttle.pass(key, alert)) {
        this.#delivery.count('throttled')
        return 'throttled'
      }
      const isAccepted = this.#delivery.offer({ kind: 'message', message, mirrorToAudit: true }, settle)
      return isAccepted ? 'accepted' : 'dropped'
    } catch (error) {
      return this.#refuseInvalid(error)
    }
  }

  #sendMessage(message: AlertMessage, mirrorToAudit: boolean): Promise<boolean> {
    if (!this.#settings.enabled || this.#closed !== null) return Promise.resolve(false)
    const channel = this.#openChannel(message.channel)
    if (channel === null) return Promise.resolve(false)
    return new Promise((resolve) => {
      const offer = { kind: 'message', message: { ...message, channel }, mirrorToAudit } as const
      this.#delivery.offer(offer, ({ ok }) => resolve(ok))
    })
  }

  #openChannel(name: string): string | null {
    const { fallbackChannel } = this.#settings
    if (this.#delivery.has(name)) return name
    if (fallbackChannel !== null && this.#delivery.has(fallbackChannel)) return fallbackChannel
    this.#delivery.warn(name, 'alerts have no channel to go to; configure it')
    return null
  }

  #summarize(first: Alert, heldBack: number): void {
    try {
      const summary = composeSummary(first, heldBack, this.#settings)
      const channel = this.#openChannel(routeOf(summary, this.#settings))
      if (channel === null) return
      this.#delivery.count('summaries')
      const message = { ...composeAlert(summary, channel, this.#settings), mention: null }
      this.#delivery.offer({ kind: 'message', message, mirrorToAudit: true }, () => {})
    } catch (error) {
      this.#refuseInvalid(error)
    }
  }

  #refuseInvalid(error: unknown): 'invalid' {
    const type = error instanceof Error ? error.name : null
    this.#settings.log.warn({ error_type: type }, 'an alert could not be read; give severity and title')
    return 'invalid'
  }
}

function readTarget<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const reason = error instanceof OuthookError ? error.message : 'its target cannot be used'
    throw new OuthookError('invalid_config', `alert channel "${name}": ${reason}`)
  }
}

function isUsable(name: string, target: ChannelTarget, log: AlertSettings['log']): boolean {
  try {
    readTarget(name, () => toTransport(target, {}))
    return true
  } catch (error) {
    log.warn({ channel: name, reason: (error as Error).message }, 'an alert channel is left off')
    return false
  }
}
