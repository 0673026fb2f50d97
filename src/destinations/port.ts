/**
 * What the engine knows of where deliveries go: one attempt, and what came of it in words that hold for every kind. How a
 * request is built, signed and sent, and what its answer means, is known to the folder of the kind alone.
 */
import type { Clock } from '../core/clock.ts'
import type { DirectRequest } from '../core/direct-request.ts'
import type { HiddenSecrets } from '../core/hidden-secrets.ts'
import type { CapturedResponse, Endpoint } from '../core/model.ts'
import type { ClassifiedOutcome } from '../core/outcome.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import type { SigningSecrets } from '../core/signing.ts'
import type { Sender, TlsIdentity } from '../sender/port.ts'
import type { ClaimedDelivery, StoreTime } from '../store/port.ts'

/** One kind of destination, such as `http`. All of them stand in `kinds.ts`. */
export interface DestinationKind {
  /** As messages name an endpoint of it: `a Discord webhook`. */
  readonly title: string
  /**
   * Members of an endpoint that are not of every kind and that it takes. One that another kind takes and this one does not
   * is refused.
   */
  readonly takes: readonly KindMember[]
  /** Where they differ from those of all endpoints. */
  readonly defaults: { readonly maxInFlight?: number; readonly rateLimitRps?: number }
  /** JSON Schema, for documents; null: it has no settings. */
  readonly settingsSchema: object | null
  /** As they are kept; null: none were given. Errors: unprocessable, in the caller's words. */
  readSettings(given: unknown, member: string): Readonly<Record<string, unknown>> | null
  /**
   * Errors: unprocessable, where it is no address of the kind, and those of the check.
   * @param checkUrl for what is sent to over HTTP: the URL in its normal form, if this server may send there
   */
  readAddress(given: string, checkUrl: (url: string) => Promise<URL>): Promise<KindAddress>
  /** Called once for each load of a tenant's routing: whatever is the same for every attempt is worked out here. */
  prepare(parts: EndpointParts): Destination
}

/** Members of an endpoint, as the engine calls them, that only some kinds take. */
export type KindMember =
  | 'urls'
  | 'failOver'
  | 'method'
  | 'headers'
  | 'contentType'
  | 'signingSchemes'
  | 'credentialId'
  | 'clientCertificateId'
  | 'secret'
  | 'keyType'
  | 'settings'

export interface KindAddress {
  /** The whole, in its normal form. */
  readonly address: string
  /** What everybody may see of it, if not all: the whole is then sealed, and nobody is shown it. */
  readonly shown?: string
}

/** The kind whose requests callers may also name themselves, without an endpoint or instead of what it has. */
export interface DirectKind extends DestinationKind {
  /** @param of where the endpoint's own deliveries go; null: the request goes to no endpoint */
  prepareDirect(
    request: DirectRequest,
    of: Destination | null,
    authorizedDomains: readonly string[],
  ): Destination
}

export interface EndpointParts {
  readonly endpoint: Endpoint
  /** The whole address, where `endpoint.url` shows a part of it. Throws when it cannot be opened. */
  readonly openAddress: () => string
  /** Of its tenant; none: it may send anywhere. */
  readonly authorizedDomains: readonly string[]
  /** Unexpired ones. Throws when one cannot be opened. */
  readonly secrets: (time: StoreTime) => SigningSecrets
}

/** Where deliveries go. */
export interface Destination {
  /** What logs and listeners call it. Nothing in it may be secret, so of a URL it is the origin. */
  readonly label: string
  /** Why nothing is sent there, by what its tenant may send to; null: it is sent to. */
  readonly refusal: string | null
  /** The longest that one attempt takes, as far as `attemptTimeout` allows; null: as long as the sender does. */
  readonly timeoutMs: number | null
  /** Rejects, or throws, when no request could be made: that is a fault of ours. */
  attempt(delivery: ClaimedDelivery, how: AttemptRules, deps: AttemptDeps): Promise<EndedAttempt | PutOff>
  /**
   * What an attempt would send at the time of `deps.clock`, for people to look at; nothing is sent, and no secret is in it.
   * Throws when it could not be built. Absent: nobody can tell.
   */
  describe?(delivery: DescribedDelivery, deps: DescribeDeps): DescribedRequest
}

/** Without a payload, which may be past its retention, there is no signature. */
export type DescribedDelivery = Omit<ClaimedDelivery, 'payload'> & { readonly payload: Uint8Array | null }

export interface DescribeDeps extends Pick<AttemptDeps, 'time' | 'userAgent'> {
  readonly clock: Pick<Clock, 'now'>
}

export interface DescribedRequest {
  readonly method: string
  /** Names in lower case; without those of the connection, such as `host`. */
  readonly headers: Readonly<Record<string, string>>
  /** A credential adds headers of its own, or shows a certificate: nothing of that is said. */
  readonly isAuthorized: boolean
}

export interface AttemptRules {
  readonly policy: RetryPolicy
  /** For what it authenticates with. Absent: as short as a delivery's slot asks for. */
  readonly patienceMs?: number
}

export interface AttemptDeps {
  /** What receivers see and say: signatures and `Retry-After`. */
  readonly clock: Clock
  /** What the store is told. */
  readonly time: StoreTime
  readonly sender: Sender
  readonly credentials: AttemptCredentials
  readonly userAgent: string
}

/**
 * What came of an attempt: `success` is accepted, `permanent_failure` refused for good, `retryable_failure` to be tried
 * again. The rest is when, and details for people.
 */
export interface EndedAttempt extends ClassifiedOutcome {
  /** False: it uses up none of the attempts that the receiver is to get, because the fault is ours. */
  readonly counted: boolean
  /** The receiver wants this delivery no sooner; null: it did not say. */
  readonly askedMs: number | null
  /** The receiver wants to be left alone for so long, by all deliveries; null: it does not. */
  readonly throttleMs: number | null
  /** When the next attempt is made, whatever the policy says; null: the policy decides. */
  readonly againInMs: number | null
  /** Null where no status came, and for receivers that have none. */
  readonly httpStatus: number | null
  /** Null for a success. */
  readonly error: string | null
  readonly latencyMs: number
  /** Null: there was none. */
  readonly response: CapturedResponse | null
}

/** Nothing was sent, and nothing is to be recorded: what is missing comes soon. */
export interface PutOff {
  readonly status: 'wait'
  readonly waitMs: number
}

/** `failed`: an attempt without a request. `wait`: none is made now, and nothing is said of the delivery. */
export type Authorization =
  | {
      readonly kind: 'ready'
      /** Names in lower case. They win over any header of the endpoint's own. */
      readonly headers: Readonly<Record<string, string>>
      /** What must not stand in anything that is kept of the answer. */
      readonly hidden: readonly HiddenSecrets[]
      /** What the connection shows of itself, and whom it trusts; absent: nothing of its own. */
      readonly identity?: TlsIdentity
    }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'wait'; readonly waitMs: number }

export type ReadyAuthorization = Extract<Authorization, { kind: 'ready' }>

/** What of a request has to do with its credential. */
export interface AuthorizedRequest {
  readonly credentialId: string | null
  readonly clientCertificateId: string | null
  /** A credential goes to its own hosts alone. */
  readonly address: { readonly url: URL }
  /** Where else it may go; null and absent: nowhere. */
  readonly pool?: { readonly addresses: readonly { readonly url: URL }[] } | null
}

/** What attempts authenticate with. */
export interface AttemptCredentials {
  /** Never rejects. */
  authorize(tenantId: string, of: AuthorizedRequest, patienceMs?: number): Promise<Authorization>
  /** True: it refused a token that may have ended, and the same request is to be made again with the next one. */
  answered(authorization: ReadyAuthorization, answer: TokenAnswer): boolean
}

export interface TokenAnswer {
  readonly targetId: string
  /** Whether the receiver refused what the request authenticated with; null: it said nothing. */
  readonly refused: boolean | null
}
