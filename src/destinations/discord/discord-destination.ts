/** One message to a Discord webhook, within Discord's limits on what it holds and on how often it is sent. */
import { refuseDomain } from '../../core/domains.ts'
import { versionedUrl } from '../../discord/discord-webhook.ts'
import { sharedRateLimits } from '../../discord/rate-limits.ts'
import type { ClaimedDelivery } from '../../store/port.ts'
import { describeJsonRequest, jsonRequest } from '../over-http/json-request.ts'
import type { AttemptDeps, AttemptRules, Destination, EndedAttempt, EndpointParts, PutOff } from '../port.ts'
import { composeDiscordMessage } from './compose-message.ts'
import { compileDiscordSettings, type DiscordTemplates } from './discord-settings.ts'
import { judgeDiscord } from './judge-discord.ts'

export class DiscordDestination implements Destination {
  readonly label: string
  readonly refusal: string | null
  readonly timeoutMs: number | null
  readonly describe = describeJsonRequest
  readonly #openAddress: () => string
  readonly #templates: DiscordTemplates
  /** The same object for each attempt: connections and limits are found by it. */
  #url: URL | null = null

  constructor({ endpoint, authorizedDomains, openAddress }: EndpointParts) {
    const shown = new URL(endpoint.url)
    this.label = shown.origin
    this.refusal = refuseDomain(shown, authorizedDomains)
    this.timeoutMs = endpoint.timeoutMs
    this.#openAddress = openAddress
    this.#templates = compileDiscordSettings(endpoint.settings, 'settings').templates
  }

  async attempt(
    delivery: ClaimedDelivery,
    { policy }: AttemptRules,
    deps: AttemptDeps,
  ): Promise<EndedAttempt | PutOff> {
    this.#url ??= this.#open()
    const body = composeDiscordMessage(this.#templates, delivery)
    const pacer = sharedRateLimits(deps.clock).pacerFor('POST')
    const waitMs = Math.ceil(pacer.delayMs(this.#url))
    if (waitMs > 0) return { status: 'wait', waitMs }
    const result = await deps.sender.attempt(
      jsonRequest(this.#url, body, { delivery, deps, timeoutMs: this.timeoutMs }),
    )
    pacer.observe(this.#url, result)
    return judgeDiscord(result, policy, deps.clock)
  }

  #open(): URL {
    const url = new URL(versionedUrl(new URL(this.#openAddress())))
    if (this.#templates.thread !== null) url.searchParams.set('thread_id', this.#templates.thread)
    return url
  }
}
