/**
 * What Outhook itself publishes to a tenant about its endpoints. These are events like any other, with topics that nobody
 * else may publish, so that a receiver can rely on what they say; and only a pattern that is the topic itself matches
 * one, so that `*` or `delivery.*` brings nobody events that are not his producers'.
 */
import { type CertificatePart, type WarningDays, warningDays } from './certificate.ts'
import type { DisabledReason, ErrorClass } from './model.ts'

/** Of one delivery. */
export const deliveryTopics = ['delivery.dead_lettered', 'delivery.failing'] as const

export const operationalTopics = [
  'endpoint.disabled',
  'endpoint.recovered',
  ...deliveryTopics,
  'credential.expiring',
] as const

const reserved: ReadonlySet<string> = new Set(operationalTopics)

export function isOperationalTopic(topic: string): boolean {
  return reserved.has(topic)
}

/** One change of an endpoint between enabled and disabled, kept with its row until its event is published. */
export interface EndpointNotice {
  readonly topic: 'endpoint.disabled' | 'endpoint.recovered'
  /** Of the endpoint after the change: no two changes have the same. */
  readonly version: number
  /** Why it is disabled, or was until now. */
  readonly reason: DisabledReason
  readonly disabledAt: number
  /** Of `endpoint.recovered`. */
  readonly enabledAt: number | null
  /** Since when it had only failed; null: it had not. */
  readonly failingSince: number | null
  /** Of the attempt that disabled it; null: no attempt did. */
  readonly errorClass: ErrorClass | null
}

export interface NoticedEndpoint {
  readonly endpointId: string
  readonly uid: string | null
  readonly url: string
}

/** The payload, with times of the calendar. A path can be a secret, as that of a Discord webhook is, so only the origin is told. */
export function renderEndpointNotice(
  { endpointId, uid, url }: NoticedEndpoint,
  notice: EndpointNotice,
): string {
  const { topic, reason, disabledAt, enabledAt, failingSince, errorClass } = notice
  return JSON.stringify({
    type: topic,
    timestamp: timeText(enabledAt ?? disabledAt),
    data: {
      endpoint_id: endpointId,
      endpoint_uid: uid,
      url: URL.canParse(url) ? new URL(url).origin : null,
      reason,
      disabled_at: timeText(disabledAt),
      ...(enabledAt !== null && { enabled_at: timeText(enabledAt) }),
      ...(enabledAt === null && {
        failing_since: failingSince === null ? null : timeText(failingSince),
        last_error: errorClass,
      }),
    },
  })
}

/**
 * What a tenant is told of one delivery: that it was given up, or that it has failed several times and is tried again. It
 * is made only where a subscription names the topic, written with the outcome, and kept until its event is published.
 */
export interface NewDeliveryNotice {
  readonly topic: (typeof deliveryTopics)[number]
  readonly tenantId: string
  readonly eventId: string
  readonly deliveryId: string
  /** Of the outcome: no two of a delivery have the same. */
  readonly claimVersion: number
  /** Of the event; null: a direct send. */
  readonly eventTopic: string | null
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  /** Origin only. */
  readonly url: string
  readonly attemptCount: number
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass
}

export interface DeliveryNotice extends NewDeliveryNotice {
  /** When the outcome was recorded. */
  readonly since: number
  /** Of `delivery.failing`; null: it waits for the end of a reason. */
  readonly nextAttemptAt: number | null
}

/** An outcome, as far as it says whether somebody is to be told. */
interface ToldOutcome {
  readonly attempt: { readonly attemptNo: number } | null
  readonly next: { readonly state: string }
}

/**
 * What an outcome is to people: the end of the delivery, or its `failingAfter`th failed attempt, after which others
 * follow. A replay counts from 1 again.
 *
 * @param failingAfter 0: never
 */
export function deliveryTrouble(
  { attempt, next }: ToldOutcome,
  { attemptCount }: { readonly attemptCount: number },
  failingAfter: number,
): NewDeliveryNotice['topic'] | null {
  if (next.state === 'dead_lettered') return 'delivery.dead_lettered'
  if (next.state !== 'retry_scheduled' || attempt === null) return null
  // What failed for a reason of ours is no attempt of the receiver's, and has the number of the one before.
  const isCounted = attempt.attemptNo > attemptCount
  return isCounted && attempt.attemptNo === failingAfter ? 'delivery.failing' : null
}

/** The payload; `uid` is that of the endpoint. What the receiver answered may repeat the event, so only its status is told. */
export function renderDeliveryNotice(notice: DeliveryNotice, uid: string | null): string {
  const { topic, since, nextAttemptAt } = notice
  const isDead = topic === 'delivery.dead_lettered'
  return JSON.stringify({
    type: topic,
    timestamp: timeText(since),
    data: {
      delivery_id: notice.deliveryId,
      event_id: notice.eventId,
      topic: notice.eventTopic,
      endpoint_id: notice.endpointId,
      endpoint_uid: uid,
      subscription_id: notice.subscriptionId,
      url: notice.url,
      attempt_count: notice.attemptCount,
      last_http_status: notice.lastHttpStatus,
      ...(isDead
        ? { final_error: notice.errorClass, dead_at: timeText(since) }
        : {
            error_class: notice.errorClass,
            next_attempt_at: nextAttemptAt === null ? null : timeText(nextAttemptAt),
          }),
    },
  })
}

/** That a certificate of a credential runs out, kept with it until its event is published. */
export interface ExpiryNotice {
  readonly part: CertificatePart
  readonly fingerprint: string
  /** Both of the calendar, as a certificate's end is. */
  readonly expiresAt: number
  readonly noticedAt: number
  readonly withinDays: WarningDays
}

export interface ExpiringCredential {
  readonly credentialId: string
  readonly name: string
}

export function renderExpiryNotice({ credentialId, name }: ExpiringCredential, notice: ExpiryNotice): string {
  const { part, fingerprint, expiresAt, noticedAt, withinDays } = notice
  return JSON.stringify({
    type: 'credential.expiring',
    timestamp: timeText(noticedAt),
    data: {
      credential_id: credentialId,
      credential_name: name,
      part,
      fingerprint,
      expires_at: timeText(expiresAt),
      within_days: withinDays,
    },
  })
}

/** Which certificate was told of, and of which days. */
export function expiryMark({
  fingerprint,
  withinDays,
}: Pick<ExpiryNotice, 'fingerprint' | 'withinDays'>): string {
  return `${fingerprint} ${withinDays}`
}

/** Marks of a credential that make a notice old: the same certificate was told of with as few days, or fewer. */
export function marksBefore({ fingerprint, withinDays }: ExpiryNotice): readonly string[] {
  return warningDays
    .filter((days) => days <= withinDays)
    .map((days) => expiryMark({ fingerprint, withinDays: days }))
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
