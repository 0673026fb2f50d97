/** One message to an incoming webhook of Slack. */
import { refuseDomain } from '../../core/domains.ts'
import type { ClaimedDelivery } from '../../store/port.ts'
import type { Template } from '../messages/template.ts'
import { describeJsonRequest, jsonRequest } from '../over-http/json-request.ts'
import type { AttemptDeps, AttemptRules, Destination, EndedAttempt, EndpointParts } from '../port.ts'
import { composeSlackMessage } from './compose-message.ts'
import { judgeSlack } from './judge-slack.ts'
import { compileSlackSettings } from './slack-settings.ts'

export class SlackDestination implements Destination {
  readonly label: string
  readonly refusal: string | null
  readonly timeoutMs: number | null
  readonly describe = describeJsonRequest
  readonly #openAddress: () => string
  readonly #template: Template
  /** The same object for each attempt: connections are found by it. */
  #url: URL | null = null

  constructor({ endpoint, authorizedDomains, openAddress }: EndpointParts) {
    const shown = new URL(endpoint.url)
    this.label = shown.origin
    this.refusal = refuseDomain(shown, authorizedDomains)
    this.timeoutMs = endpoint.timeoutMs
    this.#openAddress = openAddress
    this.#template = compileSlackSettings(endpoint.settings, 'settings').template
  }

  async attempt(
    delivery: ClaimedDelivery,
    { policy }: AttemptRules,
    deps: AttemptDeps,
  ): Promise<EndedAttempt> {
    this.#url ??= new URL(this.#openAddress())
    const body = composeSlackMessage(this.#template, delivery)
    const result = await deps.sender.attempt(
      jsonRequest(this.#url, body, { delivery, deps, timeoutMs: this.timeoutMs }),
    )
    return judgeSlack(result, policy, deps.clock)
  }
}
