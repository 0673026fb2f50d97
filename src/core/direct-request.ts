/**
 * Direct sends: one delivery that its caller names the request of, without a topic or a subscription. What stands here
 * was frozen when the send was accepted, and is kept with its event: each attempt makes this request, whatever becomes of
 * the endpoint's URL, headers or policy meanwhile. Not frozen, because they must not be: secrets, credentials and signing schemes of an
 * endpoint, its limits, and whether it is disabled or deleted. They are looked up at each attempt.
 */
import type { RetryPolicy } from './retry-policy.ts'

export const sendMethods = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'] as const
export type SendMethod = (typeof sendMethods)[number]

export interface DirectRequest {
  /** In its normal form. */
  readonly url: string
  readonly method: SendMethod
  /** Names in lower case. Without a body there is no `content-type`. */
  readonly headers: Readonly<Record<string, string>>
  /** Of one attempt; null: the server's own. */
  readonly timeoutMs: number | null
  readonly retryPolicy: RetryPolicy
  /** Absent: that of the endpoint, if it goes to one. Only the id is frozen. */
  readonly credentialId?: string
  /** Likewise. */
  readonly clientCertificateId?: string
}

/** Requests in flight to one origin of a tenant, from all its sends to URLs there. */
export const maxInFlightToOrigin = 32

/** Requests of the other methods carry no body, whatever payload the send has. */
export function carriesBody(method: SendMethod): boolean {
  return method !== 'GET' && method !== 'DELETE'
}
