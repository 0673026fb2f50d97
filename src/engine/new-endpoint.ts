/** What is stored of a new endpoint. */
import type { Endpoint } from '../core/model.ts'
import { checkTopicPatterns } from '../core/topics.ts'
import type { DestinationKind } from '../destinations/port.ts'
import type { EndpointPatch, NewEndpoint, NewSubscription } from '../store/port.ts'
import type { EndpointInput } from './endpoint-input.ts'
import { wholeHealthSettings } from './endpoint-settings.ts'
import { readFilter } from './subscriptions.ts'

const defaultMaxInFlight = 32

/** What is not given, as all endpoints have it, or those of its kind. */
export function withDefaults(
  { url, ...given }: EndpointPatch & Pick<Endpoint, 'url' | 'signingSchemes'>,
  of: {
    readonly id: string
    readonly tenantId: string
    readonly kindName: string
    readonly kind: DestinationKind
  },
): NewEndpoint['endpoint'] {
  const { maxInFlight = defaultMaxInFlight, rateLimitRps = null } = of.kind.defaults
  return {
    id: of.id,
    tenantId: of.tenantId,
    uid: given.uid ?? null,
    kind: of.kindName,
    url,
    sealedUrl: given.sealedUrl ?? null,
    moreUrls: given.moreUrls ?? [],
    failOver: given.failOver ?? false,
    settings: given.settings ?? null,
    description: given.description ?? '',
    method: given.method ?? 'POST',
    headers: given.headers ?? {},
    contentType: given.contentType ?? null,
    timeoutMs: given.timeoutMs ?? null,
    signingSchemes: given.signingSchemes,
    maxInFlight: given.maxInFlight ?? maxInFlight,
    rateLimitRps: given.rateLimitRps === undefined ? rateLimitRps : given.rateLimitRps,
    retryPolicy: given.retryPolicy ?? null,
    ...wholeHealthSettings(given),
    credentialId: given.credentialId ?? null,
    clientCertificateId: given.clientCertificateId ?? null,
  }
}

/** The subscription that is made together with its endpoint. */
export function ownSubscription(
  of: Pick<NewSubscription, 'id' | 'tenantId' | 'endpointId'>,
  { topics, filter }: Pick<EndpointInput, 'topics' | 'filter'>,
): NewSubscription {
  return {
    ...of,
    topicPatterns: checkTopicPatterns(topics, 'topics'),
    filter: readFilter(filter),
    headers: {},
    retryPolicy: null,
    active: true,
    ordered: false,
    own: true,
  }
}
