/**
 * What a line of the audit log may say of each kind of object: these members and no others, so that no secret comes into
 * it with a member that is added to an object. Names are those of the API.
 */
import type { AuditMembers } from './audit.ts'
import type { Credential } from './credential.ts'
import { isSecretName } from './custom-headers.ts'
import { formatDuration } from './duration.ts'
import type { HealthSettings } from './health-settings.ts'
import { hiddenText } from './hidden-secrets.ts'
import type { Job } from './jobs.ts'
import type { ApiKey, Delivery, Endpoint, OutboundEvent, StoredRetryPolicy, Subscription } from './model.ts'
import type { PortalLink } from './portal.ts'
import { renderRetryPolicy } from './retry-policy-json.ts'
import type { Tenant } from './tenant.ts'

/** With its own subscription, whose topics are members of the endpoint to its users. */
export interface AuditedEndpoint {
  readonly endpoint: Endpoint
  readonly own: Pick<Subscription, 'topicPatterns' | 'filter'> | null
}

export function membersOfEndpoint({ endpoint, own }: AuditedEndpoint): AuditMembers {
  return {
    uid: endpoint.uid,
    kind: endpoint.kind,
    url: withoutPassword(endpoint.url),
    more_urls: endpoint.moreUrls.map(withoutPassword),
    fail_over: endpoint.failOver,
    settings: endpoint.settings,
    description: endpoint.description,
    method: endpoint.method,
    headers: withoutSecrets(endpoint.headers),
    content_type: endpoint.contentType,
    timeout: duration(endpoint.timeoutMs),
    signing_schemes: endpoint.signingSchemes,
    max_in_flight: endpoint.maxInFlight,
    rate_limit_rps: endpoint.rateLimitRps,
    credential_id: endpoint.credentialId,
    client_certificate_id: endpoint.clientCertificateId,
    topics: own?.topicPatterns ?? null,
    filter: own?.filter ?? null,
    retry_policy: policy(endpoint.retryPolicy),
    ...health(endpoint),
    disabled_reason: endpoint.disabledReason,
    paused_reason: endpoint.pausedReason,
  }
}

export function membersOfSubscription(subscription: Subscription): AuditMembers {
  return {
    endpoint_id: subscription.endpointId,
    topics: subscription.topicPatterns,
    filter: subscription.filter,
    headers: withoutSecrets(subscription.headers),
    retry_policy: policy(subscription.retryPolicy),
    ordered: subscription.ordered,
    active: subscription.active,
  }
}

/** Its secret members are sealed, and the last characters of one, which its users are shown, are left out too. */
export function membersOfCredential(credential: Credential): AuditMembers {
  const { settings } = credential
  return {
    name: credential.name,
    description: credential.description,
    kind: credential.kind,
    header_name: settings.headerName,
    username: settings.username,
    token_url: settings.tokenUrl === undefined ? undefined : withoutPassword(settings.tokenUrl),
    client_id: settings.clientId,
    scope: settings.scope,
    audience: settings.audience,
    auth_style: settings.authStyle,
    certificate: settings.certificate,
    ca: settings.ca,
    authorized_hosts: credential.authorizedHosts,
    active: credential.active,
  }
}

export function membersOfTenant({ uid, name, metadata, settings }: Tenant): AuditMembers {
  return {
    uid,
    name,
    metadata,
    retain_payloads: duration(settings.retainPayloadsMs),
    retain_attempts: duration(settings.retainAttemptsMs),
    retain_events: duration(settings.retainEventsMs),
    retain_dead_letters: duration(settings.retainDeadLettersMs),
    retry_policy: policy(settings.retryPolicy),
    ...health(settings),
    ingest_rate: settings.ingestRate,
    max_endpoints: settings.maxEndpoints,
    weight: settings.weight,
    authorized_domains: settings.authorizedDomains,
  }
}

export function membersOfKey(key: ApiKey, time: (at: number) => string): AuditMembers {
  const { name, role, expiresAt } = key
  const ended = { expires_at: expiresAt === null ? null : time(expiresAt), revoked: isSet(key.revokedAt) }
  if (key.kind === 'admin') return { label: name, role, ...ended }
  return {
    name,
    scopes: key.scopes,
    abilities: key.abilities,
    rate_limit_rps: key.rateLimitRps,
    ...ended,
  }
}

export function membersOfPortalLink(link: PortalLink, time: (at: number) => string): AuditMembers {
  const { abilities, label, expiresAt, revokedAt } = link
  return { abilities, label, expires_at: time(expiresAt), revoked: isSet(revokedAt) }
}

/** JSON stays as its text was. */
export interface AuditedEventType {
  readonly description: string
  readonly group: string | null
  readonly schema: string | null
  readonly example: string | null
  readonly deprecated: boolean
  readonly mode: string
}

export function membersOfEventType(type: AuditedEventType): AuditMembers {
  const { description, group, schema, example, deprecated, mode } = type
  return {
    description,
    group,
    schema: schema === null ? null : JSON.parse(schema),
    example: example === null ? null : JSON.parse(example),
    deprecated,
    mode,
  }
}

export function membersOfJob({ kind, filter, rate, state }: Job, time: (at: number) => string): AuditMembers {
  const { endpointId, topic, since, until, errorClass } = filter
  return {
    kind,
    endpoint_id: endpointId,
    topic,
    since: since === undefined ? undefined : time(since),
    until: until === undefined ? undefined : time(until),
    error_class: errorClass,
    rate,
    state,
  }
}

export function membersOfDelivery({ state, eventId, endpointId }: Delivery): AuditMembers {
  return { state, event_id: eventId, endpoint_id: endpointId }
}

export function membersOfEvent({ expungedAt }: OutboundEvent): AuditMembers {
  return { payload_expunged: isSet(expungedAt) }
}

function isSet(at: number | null): boolean {
  return at !== null
}

function duration(ms: number | null): string | null {
  return ms === null ? null : formatDuration(ms)
}

function policy(given: StoredRetryPolicy | null): unknown {
  return given === null ? null : renderRetryPolicy(given)
}

function health(settings: HealthSettings): AuditMembers {
  return {
    breaker_threshold: settings.breakerThreshold,
    breaker_pause: duration(settings.breakerPauseMs),
    breaker_max_pause: duration(settings.breakerMaxPauseMs),
    disable_after: duration(settings.disableAfterMs),
  }
}

/** Names of secrets are refused where headers are given; what a store of before says may have one. */
function withoutSecrets(headers: Readonly<Record<string, string>>): AuditMembers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isSecretName(name) ? hiddenText : value]),
  )
}

/** Nor what its query calls a secret, which the API does show: who reads of a change need not know it. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  const secret = [...parsed.searchParams.keys()].filter(isSecretName)
  if (parsed.password === '' && parsed.username === '' && secret.length === 0) return url
  parsed.username = ''
  parsed.password = ''
  for (const name of secret) parsed.searchParams.set(name, hiddenText)
  return parsed.href
}
