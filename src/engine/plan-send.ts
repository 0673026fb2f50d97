/** From a checked direct send to what is inserted: an event without a topic, what was frozen of its request, one delivery. */
import { pairProblem, refuseHost } from '../core/credential.ts'
import { carriesBody, type DirectRequest } from '../core/direct-request.ts'
import { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import { targetIdOf } from '../core/origin-target.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import { directKindName } from '../destinations/kinds.ts'
import type { NewDelivery, NewEvent } from '../store/port.ts'
import type { Plan } from './hand-off.ts'
import type { Send, SendRequest } from './publish-request.ts'

type SendInput = Omit<SendRequest, 'idempotency'> &
  Pick<NewEvent, 'idempotency' | 'deliverAt' | 'hasIdempotencyKey'>

/** Of no routing that a tenant can have: the store looks for the idempotency key of such an event and never writes it. */
export const noRoutingVersion = -1

/** Throws what refuses it, such as `endpoint_not_available`, where no idempotency key may have an earlier answer. */
export function planSend(input: SendInput, routing: TenantRouting, ids: IdFactory): Plan {
  const { send, tenantId } = input
  const event = { ...input, id: ids.next('evt'), filteredSubscriptions: null }
  const refusal = send.refusal ?? findRefusal(send, routing)
  if (refusal === null) {
    const deliveries = [{ ...placeOf(send, tenantId, routing), id: ids.next('dlv') }]
    const planned = { request: freeze(send, routing), routingVersion: routing.version, deliveries }
    return { event: { ...event, ...planned }, routing, refusal }
  }
  if (input.idempotency === null) throw refusal
  const looked = { request: null, routingVersion: noRoutingVersion, deliveries: [] }
  return { event: { ...event, ...looked }, routing, refusal }
}

function findRefusal(send: Send, routing: TenantRouting): OuthookError | null {
  const { to, credentialId, clientCertificateId } = send
  const missing = [credentialId, clientCertificateId].find(
    (id) => id !== null && !routing.credentials.has(id),
  )
  if (missing !== undefined) return unprocessable(`there is no credential ${missing}; make it first`)
  if ('url' in to) return refuseCredentials(send, to.url, routing)
  const target = routing.targets.get(to.endpointId)
  if (target === undefined) return endpointNotAvailable(to.endpointId)
  const { endpoint, destination } = target
  if (endpoint.kind !== directKindName) {
    return unprocessable(
      `${to.endpointId} is of the kind "${endpoint.kind}", which gets events alone; publish one, or send to an endpoint of the kind "${directKindName}"`,
    )
  }
  if (destination.refusal !== null) return new OuthookError('url_rejected', destination.refusal)
  const used = {
    credentialId: credentialId ?? endpoint.credentialId,
    clientCertificateId: clientCertificateId ?? endpoint.clientCertificateId,
  }
  return refuseCredentials(used, new URL(endpoint.url), routing)
}

/** It is looked at again at each attempt. */
function refuseCredentials(
  used: Pick<Send, 'credentialId' | 'clientCertificateId'>,
  url: URL,
  { credentials }: Pick<TenantRouting, 'credentials'>,
): OuthookError | null {
  const credential = credentials.get(used.credentialId ?? '') ?? null
  const certificate = credentials.get(used.clientCertificateId ?? '') ?? null
  const problem = certificate === null ? null : pairProblem(certificate, credential)
  if (problem !== null) return unprocessable(problem)
  for (const each of [credential, certificate]) {
    const refusal = each === null ? null : refuseHost(each, url)
    if (refusal !== null) return unprocessable(refusal)
  }
  return null
}

function unprocessable(message: string): OuthookError {
  return new OuthookError('unprocessable', message)
}

/** An endpoint's headers come with it; those of the send win. */
function freeze(send: Send, routing: TenantRouting): DirectRequest {
  const { to } = send
  const endpoint = 'endpointId' in to ? endpointOf(to.endpointId, routing) : null
  const method = send.method ?? endpoint?.method ?? 'POST'
  const { 'content-type': typeOfEndpoint, ...ofEndpoint } = endpoint?.headers ?? {}
  const { 'content-type': typeGiven, ...given } = send.headers
  const contentType =
    typeGiven ??
    (send.hasPayload ? (typeOfEndpoint ?? endpoint?.contentType ?? 'application/json') : undefined)
  const hasType = carriesBody(method) && contentType !== undefined
  return {
    url: 'url' in to ? to.url.href : (endpoint?.url ?? ''),
    method,
    headers: { ...(hasType && { 'content-type': contentType }), ...ofEndpoint, ...given },
    timeoutMs: send.timeoutMs ?? endpoint?.timeoutMs ?? null,
    retryPolicy: send.retryPolicy ?? routing.policyOf(null, endpoint?.id),
    ...(send.credentialId !== null && { credentialId: send.credentialId }),
    ...(send.clientCertificateId !== null && { clientCertificateId: send.clientCertificateId }),
  }
}

function placeOf({ to }: Send, tenantId: string, routing: TenantRouting): Omit<NewDelivery, 'id'> {
  const common = { subscriptionId: null, handOff: false, ordered: false }
  if ('url' in to) {
    const targetId = targetIdOf(tenantId, to.url)
    return { ...common, endpointId: null, targetId, rateLimitRps: null, parked: null }
  }
  const { endpointId } = to
  const { rateLimitRps, disabledReason } = endpointOf(endpointId, routing)
  const parked = disabledReason === null ? null : 'endpoint_disabled'
  return { ...common, endpointId, targetId: endpointId, rateLimitRps, parked }
}

function endpointOf(endpointId: string, routing: TenantRouting) {
  const target = routing.targets.get(endpointId)
  if (target !== undefined) return target.endpoint
  throw endpointNotAvailable(endpointId)
}

function endpointNotAvailable(endpointId: string): OuthookError {
  return new OuthookError('endpoint_not_available', `no endpoint ${endpointId}; create it first`)
}
