/** A POST of JSON, for receivers that know nothing of Outhook. */
import { attemptTimeout } from '../../core/attempt-timeout.ts'
import type { AttemptRequest } from '../../sender/port.ts'
import type { ClaimedDelivery } from '../../store/port.ts'
import type { AttemptDeps, DescribeDeps, DescribedDelivery, DescribedRequest } from '../port.ts'

export function jsonRequest(
  url: URL,
  body: unknown,
  {
    delivery,
    deps,
    timeoutMs,
  }: {
    readonly delivery: ClaimedDelivery
    readonly deps: AttemptDeps
    readonly timeoutMs: number | null
  },
): AttemptRequest {
  return {
    ...(timeoutMs !== null && { timeoutMs: attemptTimeout(timeoutMs, deps.sender.totalTimeoutMs) }),
    destination: { kind: 'http', url },
    method: 'POST',
    headers: jsonHeaders(delivery, deps),
    body: Buffer.from(JSON.stringify(body), 'utf8'),
  }
}

export function describeJsonRequest(delivery: DescribedDelivery, deps: DescribeDeps): DescribedRequest {
  return { method: 'POST', headers: jsonHeaders(delivery, deps), isAuthorized: false }
}

function jsonHeaders(
  delivery: Omit<ClaimedDelivery, 'payload'>,
  { userAgent }: DescribeDeps,
): Readonly<Record<string, string>> {
  return {
    'user-agent': userAgent,
    'content-type': 'application/json',
    'outhook-event-id': delivery.eventId,
    'outhook-delivery-id': delivery.id,
    'outhook-attempt': String(delivery.attemptCount + 1),
    ...delivery.traceContext,
  }
}
