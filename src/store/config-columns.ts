/** What a change of an endpoint or a subscription writes, as both databases keep it. */
import type { Endpoint, Subscription } from '../core/model.ts'

type EndpointSettings = Pick<
  Endpoint,
  | 'uid'
  | 'url'
  | 'description'
  | 'headers'
  | 'signingSchemes'
  | 'maxInFlight'
  | 'rateLimitRps'
  | 'retryPolicy'
>

export function endpointSettings(endpoint: EndpointSettings) {
  return {
    uid: endpoint.uid,
    url: endpoint.url,
    description: endpoint.description,
    headers: JSON.stringify(endpoint.headers),
    signing_schemes: JSON.stringify(endpoint.signingSchemes),
    max_in_flight: endpoint.maxInFlight,
    rate_limit_rps: endpoint.rateLimitRps,
    retry_policy: toJsonText(endpoint.retryPolicy),
  }
}

export function subscriptionSettings(
  subscription: Pick<Subscription, 'topicPatterns' | 'filter' | 'retryPolicy'>,
) {
  return {
    topic_patterns: JSON.stringify(subscription.topicPatterns),
    filter: toJsonText(subscription.filter),
    retry_policy: toJsonText(subscription.retryPolicy),
  }
}

export function toJsonText(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}
