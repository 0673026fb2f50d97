/** One HTTP attempt: a delivery becomes a signed request, and its answer what the engine goes on with. */
import { attemptTimeout } from '../../core/attempt-timeout.ts'
import { carriesBody } from '../../core/direct-request.ts'
import { toHeaderValue } from '../../core/header-value.ts'
import { type SigningSecrets, signRequest } from '../../core/signing.ts'
import type { SigningScheme } from '../../core/signing-scheme.ts'
import type { AttemptRequest, AttemptResult, HttpAddress, RequestMethod } from '../../sender/port.ts'
import type { ClaimedDelivery, StoreTime } from '../../store/port.ts'
import { judge, notMade } from '../over-http/judge.ts'
import type {
  AttemptDeps,
  AttemptRules,
  DescribeDeps,
  DescribedDelivery,
  DescribedRequest,
  Destination,
  EndedAttempt,
  PutOff,
  ReadyAuthorization,
} from '../port.ts'
import { type PoolRules, sendToPool } from './send-to-pool.ts'
import { UrlPools } from './url-pool.ts'

export interface HttpParts {
  /** The first of them. */
  readonly address: HttpAddress
  /** Null: there is one URL. */
  readonly pool: PoolRules | null
  /** Why nothing is sent there, by the tenant's authorized domains. */
  readonly refusal: string | null
  readonly method: RequestMethod
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Of one attempt; null: the sender's own. */
  readonly timeoutMs: number | null
  readonly signingSchemes: readonly SigningScheme[]
  /** Looked up at each attempt; null: requests carry none. */
  readonly credentialId: string | null
  /** Likewise, of the kind `client_certificate`. */
  readonly clientCertificateId: string | null
  /** Unexpired ones. Throws when one cannot be opened. */
  readonly secrets: (time: StoreTime) => SigningSecrets
}

type Credential = Pick<ReadyAuthorization, 'headers' | 'hidden'>

const noCredential: Credential = { headers: {}, hidden: [] }

/** What is known of URLs, for as long as there is the sender that found it out. */
const poolsOfSenders = new WeakMap<object, UrlPools>()

function poolsOf(sender: AttemptDeps['sender']): UrlPools {
  const known = poolsOfSenders.get(sender)
  if (known !== undefined) return known
  const pools = new UrlPools()
  poolsOfSenders.set(sender, pools)
  return pools
}

const nothing = new Uint8Array(0)
/** Until a request whose token was refused is made with another one. */
const anotherTokenMs = 1000

export class HttpDestination implements Destination {
  readonly parts: HttpParts

  constructor(parts: HttpParts) {
    this.parts = parts
  }

  get label(): string {
    return this.parts.address.url.origin
  }

  get timeoutMs(): number | null {
    return this.parts.timeoutMs
  }

  get refusal(): string | null {
    return this.parts.refusal
  }

  describe(delivery: DescribedDelivery, deps: DescribeDeps): DescribedRequest {
    const { parts } = this
    const { payload } = delivery
    // Of what is not there any more nobody can make a signature.
    const shown = payload === null ? new HttpDestination({ ...parts, signingSchemes: [] }) : this
    const { headers } = shown.#signed({ ...delivery, payload: payload ?? nothing }, deps, noCredential)
    const isAuthorized = parts.credentialId !== null || parts.clientCertificateId !== null
    return { method: parts.method, headers, isAuthorized }
  }

  attempt(delivery: ClaimedDelivery, how: AttemptRules, deps: AttemptDeps): Promise<EndedAttempt | PutOff> {
    const { credentialId, clientCertificateId } = this.parts
    if (credentialId !== null || clientCertificateId !== null) {
      return this.#attemptAuthorized(delivery, how, deps)
    }
    return this.#send(this.#toRequest(delivery, deps), delivery, deps).then((result) =>
      judge(result, how.policy, deps.clock),
    )
  }

  /** One request with its credentials; without them none. */
  async #attemptAuthorized(
    delivery: ClaimedDelivery,
    { policy, patienceMs }: AttemptRules,
    deps: AttemptDeps,
  ): Promise<EndedAttempt | PutOff> {
    const authorization = await deps.credentials.authorize(delivery.tenantId, this.parts, patienceMs)
    switch (authorization.kind) {
      case 'wait':
        return { status: 'wait', waitMs: authorization.waitMs }
      case 'failed':
        return judge(notMade(authorization.error), policy, deps.clock)
      case 'ready': {
        const request = this.#toRequest(delivery, deps, authorization)
        const lost = lostHeader(authorization, request)
        if (lost !== undefined) return judge(notMade(takenHeader(lost)), policy, deps.clock)
        const result = await this.#sendWith(authorization, request, { delivery, deps })
        const ended = judge(result, policy, deps.clock)
        const { httpStatus } = result
        const answer = {
          targetId: delivery.targetId,
          refused: httpStatus === null ? null : httpStatus === 401,
        }
        if (!deps.credentials.answered(authorization, answer)) return ended
        return { ...ended, status: 'retryable_failure', counted: false, againInMs: anotherTokenMs }
      }
    }
  }

  #sendWith(
    { identity }: ReadyAuthorization,
    request: AttemptRequest,
    { delivery, deps }: { readonly delivery: ClaimedDelivery; readonly deps: AttemptDeps },
  ): Promise<AttemptResult> {
    const destination = identity === undefined ? request.destination : { ...request.destination, identity }
    return this.#send({ ...request, destination }, delivery, deps)
  }

  #send(request: AttemptRequest, { targetId }: ClaimedDelivery, deps: AttemptDeps): Promise<AttemptResult> {
    const { sender, clock } = deps
    const { pool } = this.parts
    if (pool === null) return sender.attempt(request)
    return sendToPool(request, pool, { sender, clock, pool: poolsOf(sender).of(targetId) })
  }

  /** @param credential what it authenticates with; its headers win over those of the endpoint */
  #toRequest(delivery: ClaimedDelivery, deps: AttemptDeps, credential = noCredential): AttemptRequest {
    const { address, method, timeoutMs } = this.parts
    const request = { destination: address, method, ...this.#signed(delivery, deps, credential) }
    if (timeoutMs === null) return request
    return { ...request, timeoutMs: attemptTimeout(timeoutMs, deps.sender.totalTimeoutMs) }
  }

  #signed(
    delivery: ClaimedDelivery,
    deps: DescribeDeps,
    credential: Credential,
  ): Omit<AttemptRequest, 'destination' | 'method'> {
    const { topic } = delivery
    const { parts } = this
    const headers: Record<string, string> = {
      'user-agent': deps.userAgent,
      ...parts.headers,
      ...credential.headers,
      'outhook-event-id': delivery.eventId,
      'outhook-delivery-id': delivery.id,
      'outhook-attempt': String(delivery.attemptCount + 1),
    }
    if (topic !== null) headers['outhook-topic'] = toHeaderValue(topic)
    for (const name in delivery.metadata) {
      headers[`outhook-meta-${name}`] = toHeaderValue(delivery.metadata[name] ?? '')
    }
    if (delivery.traceContext !== null) Object.assign(headers, delivery.traceContext)
    const secrets = parts.secrets(deps.time)
    const signed = signRequest(parts.signingSchemes, {
      eventId: delivery.eventId,
      deliveryId: delivery.id,
      topic,
      timestampSeconds: Math.floor(deps.clock.now() / 1000),
      body: carriesBody(parts.method) ? delivery.payload : nothing,
      secrets,
    })
    return {
      headers: Object.assign(headers, signed.headers),
      signatures: signed.headers,
      credentialHeaders: credential.headers,
      secrets: [...secrets.active.map(({ hidden }) => hidden), ...credential.hidden],
      body: signed.body,
    }
  }
}

/** A header of the credential that something else of the request took the place of: it would go unauthenticated. */
function lostHeader({ headers }: ReadyAuthorization, request: AttemptRequest): string | undefined {
  return Object.keys(headers).find((name) => request.headers[name] !== headers[name])
}

function takenHeader(name: string): string {
  return `no request was made: the header "${name}" of its credential is also one of its signature or of its trace context; give one of them another name`
}
