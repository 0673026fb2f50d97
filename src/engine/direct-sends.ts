/** Direct sends: one durable delivery to a URL or an endpoint that the caller names, without topic and subscription. */
import { parseStoredHeaders } from '../core/custom-headers.ts'
import { durationForms, formatDuration, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { checkMediaType } from '../core/media-type.ts'
import { parseMetadata } from '../core/metadata.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import { checkCredentialId, checkMethod } from './endpoint-checks.ts'
import { checkId } from './page.ts'
import type { Publisher } from './publish.ts'
import type { Send, SendRequest } from './publish-request.ts'
import type { TenantUrls } from './tenant-urls.ts'

/** What a caller says of the request, none of it checked. */
export interface AskedSend {
  readonly url?: unknown
  readonly endpointId?: unknown
  readonly method?: unknown
  readonly headers?: unknown
  readonly contentType?: unknown
  readonly credentialId?: unknown
  readonly clientCertificateId?: unknown
  readonly retry?: unknown
  readonly timeout?: unknown
}

/** One send as a face has read it. */
export interface SendOrder extends Omit<SendRequest, 'topic' | 'orderingKey' | 'payload' | 'send'> {
  /** Null: there is none, and the body is empty. */
  readonly payload: Uint8Array | null
  readonly asked: AskedSend
}

export interface SendReceipt {
  readonly deliveryId: string
  /** Of the event that keeps its payload and its request. */
  readonly eventId: string
  /** The idempotency key was used before for the same request, and this is what it got then. */
  readonly replayed: boolean
}

export interface DirectSendsOptions {
  readonly publisher: Pick<Publisher, 'publish'>
  readonly routing: Pick<RoutingCache, 'get' | 'invalidate'>
  readonly urls: Pick<TenantUrls, 'check'>
  readonly words: FaceWords
  readonly retryPolicies: RetryPolicies
  /** The longest that an attempt may take. */
  readonly maxTimeoutMs: number
}

const minTimeoutMs = 1000

type Place = Pick<Send, 'to' | 'refusal'>

export class DirectSends {
  readonly #options: DirectSendsOptions

  constructor(options: DirectSendsOptions) {
    this.#options = options
  }

  /**
   * Resolves once the send is durable. Errors: unprocessable, url_rejected, not_found or endpoint_not_available (the
   * endpoint), invalid_request, payload_too_large, idempotency_conflict, expired (the delivery of the key is past its
   * retention), rate_limited, store_unavailable, shutting_down.
   */
  async send({ asked, payload, ...order }: SendOrder): Promise<SendReceipt> {
    // The caller's objects may change while the URL is looked up.
    const metadata = parseMetadata(order.metadata)
    const read = this.#read(asked, payload !== null)
    const place = await this.#findPlace(order.tenantId, asked)
    const send = { ...read, ...place, refusal: read.refusal ?? place.refusal }
    for (const id of [send.credentialId, send.clientCertificateId]) {
      if (id !== null) await this.#lookForCredential(order.tenantId, id)
    }
    const { publisher } = this.#options
    const receipt = await publisher.publish({
      ...order,
      metadata,
      topic: null,
      orderingKey: null,
      payload: payload ?? new Uint8Array(0),
      send,
    })
    const { eventId, replayed } = receipt
    const [deliveryId] = receipt.deliveryIds
    if (deliveryId !== undefined) return { deliveryId, eventId, replayed }
    throw new OuthookError(
      'expired',
      'this idempotency key was used for a delivery that is past its retention; use another key',
    )
  }

  #read(asked: AskedSend, hasPayload: boolean): Omit<Send, 'to'> {
    const { words } = this.#options
    const { credentialId = null, clientCertificateId = null } = asked
    return {
      method: asked.method == null ? null : checkMethod(asked.method),
      headers: this.#readHeaders(asked),
      hasPayload,
      ...this.#readTimeout(asked.timeout),
      retryPolicy: this.#readPolicy(asked.retry),
      credentialId: checkCredentialId(credentialId, words.member('credential_id')),
      clientCertificateId: checkCredentialId(clientCertificateId, words.member('client_certificate_id')),
    }
  }

  /** Frozen with the send, so of a name what it stands for now. */
  #readPolicy(retry: unknown): RetryPolicy | null {
    const { retryPolicies } = this.#options
    const read = retryPolicies.read(retry, 'retry')
    return read === null ? null : retryPolicies.find(read)
  }

  #readHeaders({ headers, contentType }: AskedSend): Readonly<Record<string, string>> {
    const read = parseStoredHeaders(headers)
    if (contentType === undefined || contentType === null) return read
    const member = this.#options.words.member('content_type')
    if (read['content-type'] !== undefined) {
      throw new OuthookError(
        'unprocessable',
        `${member} and headers["content-type"] are both given; give one of them`,
      )
    }
    return { ...read, 'content-type': checkMediaType(contentType, member) }
  }

  /** What the setting allows may have been otherwise when the first answer was given. */
  #readTimeout(timeout: unknown): Pick<Send, 'timeoutMs' | 'refusal'> {
    if (timeout === undefined || timeout === null) return { timeoutMs: null, refusal: null }
    const { maxTimeoutMs, words } = this.#options
    const least = Math.min(minTimeoutMs, maxTimeoutMs)
    const ms = parseDuration(timeout)
    if (ms !== null && ms >= least && ms <= maxTimeoutMs) return { timeoutMs: ms, refusal: null }
    const setting = words.setting('total-timeout', formatDuration(maxTimeoutMs))
    const refusal = new OuthookError(
      'unprocessable',
      `timeout must be ${durationForms}, from ${formatDuration(least)} to the longest that an attempt may take (${setting})`,
    )
    if (ms === null) throw refusal
    return { timeoutMs: null, refusal }
  }

  async #findPlace(tenantId: string, { url, endpointId }: AskedSend): Promise<Place> {
    const { words } = this.#options
    const isGiven = (value: unknown) => value !== undefined && value !== null
    if (isGiven(url) === isGiven(endpointId)) {
      const members = `url or ${words.member('endpoint_id')}`
      throw new OuthookError(
        'unprocessable',
        isGiven(url) ? `give ${members}, not both` : `give ${members}: where it is to be sent`,
      )
    }
    if (isGiven(endpointId)) return this.#findEndpoint(tenantId, endpointId)
    if (typeof url === 'string') return this.#findUrl(tenantId, url)
    throw new OuthookError('unprocessable', 'url must be text such as "https://example.com/hook"')
  }

  async #findUrl(tenantId: string, text: string): Promise<Place> {
    try {
      return { to: { url: await this.#options.urls.check(tenantId, text) }, refusal: null }
    } catch (refusal) {
      // What its name resolves to, and what is allowed, may have been otherwise when the first answer was given.
      const mayHavePassed = refusal instanceof OuthookError && URL.canParse(text) && !/\s/.test(text)
      if (mayHavePassed) return { to: { url: new URL(text) }, refusal }
      throw refusal
    }
  }

  /** Another process may have made it a moment ago. Whether there is one is found out as with an endpoint. */
  async #lookForCredential(tenantId: string, credentialId: string): Promise<void> {
    const { routing } = this.#options
    if (!(await routing.get(tenantId)).credentials.has(credentialId)) routing.invalidate(tenantId)
  }

  /** Whether there is one is found out with the routing that the send is planned with. */
  async #findEndpoint(tenantId: string, given: unknown): Promise<Place> {
    const { routing } = this.#options
    const endpointId = checkId(given as string, 'ep', 'endpoint')
    // Another process may have made it a moment ago.
    if (!(await routing.get(tenantId)).targets.has(endpointId)) routing.invalidate(tenantId)
    return { to: { endpointId }, refusal: null }
  }
}
