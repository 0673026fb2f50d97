/** What a change of an endpoint or a subscription writes, as both databases keep it. */
import type { HealthSettings } from '../core/health-settings.ts'
import type { Endpoint, Subscription } from '../core/model.ts'
import { toAddressColumns } from './address-columns.ts'
import { toHealthColumns } from './health-columns.ts'

type EndpointSettings = Pick<
  Endpoint,
  | 'uid'
  | 'kind'
  | 'url'
  | 'sealedUrl'
  | 'settings'
  | 'moreUrls'
  | 'failOver'
  | 'description'
  | 'method'
  | 'headers'
  | 'contentType'
  | 'timeoutMs'
  | 'signingSchemes'
  | 'maxInFlight'
  | 'rateLimitRps'
  | 'retryPolicy'
> &
  HealthSettings

export function endpointSettings(endpoint: EndpointSettings) {
  return {
    uid: endpoint.uid,
    ...toAddressColumns(endpoint),
    more_urls: endpoint.moreUrls.length === 0 ? null : JSON.stringify(endpoint.moreUrls),
    fail_over: endpoint.failOver,
    description: endpoint.description,
    method: endpoint.method,
    headers: JSON.stringify(endpoint.headers),
    content_type: endpoint.contentType,
    timeout_ms: endpoint.timeoutMs,
    signing_schemes: JSON.stringify(endpoint.signingSchemes),
    max_in_flight: endpoint.maxInFlight,
    rate_limit_rps: endpoint.rateLimitRps,
    retry_policy: toJsonText(endpoint.retryPolicy),
    ...toHealthColumns(endpoint),
  }
}

export function subscriptionSettings(
  subscription: Pick<Subscription, 'topicPatterns' | 'filter' | 'headers' | 'retryPolicy'>,
) {
  return {
    topic_patterns: JSON.stringify(subscription.topicPatterns),
    filter: toJsonText(subscription.filter),
    headers: JSON.stringify(subscription.headers),
    retry_policy: toJsonText(subscription.retryPolicy),
  }
}

export function toJsonText(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}
