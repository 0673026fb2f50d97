/**
 * What Outhook itself publishes to a tenant about its endpoints. These are events like any other, with topics that nobody
 * else may publish, so that a receiver can rely on what they say; and only a pattern that is the topic itself matches
 * one, so that `*` or `delivery.*` brings nobody events that are not his producers'.
 */
import type { DisabledReason, ErrorClass } from './model.ts'

/** The last two are reserved, and nothing publishes them yet. */
export const operationalTopics = [
  'endpoint.disabled',
  'endpoint.recovered',
  'delivery.dead_lettered',
  'delivery.failing',
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

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
