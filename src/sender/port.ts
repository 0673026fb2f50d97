/** What those who send over HTTP need: one attempt, and what came of it. */
import type { HiddenSecrets } from '../core/hidden-secrets.ts'
import type { CapturedResponse, ErrorClass } from '../core/model.ts'

/** Where a request goes, and on which way. */
export interface HttpAddress {
  readonly kind: 'http'
  /** Must not be changed afterwards; the same object again costs less than an equal one. */
  readonly url: URL
  /** Absent: straight to the receiver. */
  readonly via?: ProxyHop
  /** Absent: the sender's own. Must not be changed afterwards; the same object again costs less than an equal one. */
  readonly identity?: TlsIdentity
}

/** What a connection shows of itself, and whom it trusts. Connections of one identity are not used for another. */
export interface TlsIdentity {
  /** Another one for each identity. */
  readonly key: string
  /** PEM, with the key to it. */
  readonly certificate?: string
  readonly privateKey?: string
  /** PEM, instead of the authorities that the sender trusts. */
  readonly ca?: string
}

/** A proxy on the way; see `ProxyRoute`. */
export interface ProxyHop {
  readonly kind: ProxyKind
  /** A name, or an address without brackets. */
  readonly hostname: string
  readonly port: number
  /** `host:port`. */
  readonly hostPort: string
  /** Tells the connections of this route from those of others: other credentials may be another way out. */
  readonly key: string
  /** Whoever calls this must not let them out. */
  credentials(): ProxyCredentials | null
  /** The value of `Proxy-Authorization`, or null. */
  basicAuthorization(): string | null
}

export type ProxyKind = 'http' | 'https' | 'socks5'

export interface ProxyCredentials {
  readonly username: string
  readonly password: string
}

export type RequestMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET'

export interface AttemptRequest {
  readonly destination: HttpAddress
  readonly method: RequestMethod
  /** Names in lower case, values already checked for control characters. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Those of the headers that the signing schemes made: the kept answer must not hold a signature. */
  readonly signatures?: Readonly<Record<string, string>>
  /** Those of the headers whose values `secrets` has. */
  readonly credentialHeaders?: Readonly<Record<string, string>>
  /** What the kept answer must not hold, besides what shows in headers and URL by its name. The same objects again cost less. */
  readonly secrets?: readonly HiddenSecrets[]
  /** The answer is read at once and not kept: it may hold what the request was made with. */
  readonly answerIsRead?: boolean
  /** For this attempt, instead of the sender's own total timeout. */
  readonly timeoutMs?: number
  /** Ends the attempt; the result is then an `internal` failure. */
  readonly signal?: AbortSignal
}

/** A value, never an exception: a failed attempt is an expected outcome. */
export type AttemptResult =
  | {
      readonly kind: 'response'
      readonly httpStatus: number
      readonly response: CapturedResponse
      /** The value of `Retry-After`, as received. */
      readonly retryAfter: string | null
      /** Why the body did not end as it should. The status counts all the same. */
      readonly brokeOff?: string
      readonly latencyMs: number
    }
  | {
      readonly kind: 'failure'
      readonly errorClass: Extract<
        ErrorClass,
        'timeout' | 'connection' | 'dns' | 'tls' | 'policy' | 'internal'
      >
      /** At most 2000 characters; names no secret. */
      readonly error: string
      /** Of the class `policy`: the name resolved to a refused address, and may resolve to another one later. */
      readonly mayChange?: boolean
      /** The request was on its way, and the receiver may have it. */
      readonly mayHaveArrived?: boolean
      /** Set when it was the proxy that answered. */
      readonly httpStatus: number | null
      readonly latencyMs: number
    }

export interface Sender {
  /** Never rejects. The whole attempt, DNS to last byte read, takes at most the total timeout. */
  attempt(request: AttemptRequest): Promise<AttemptResult>
  /** Milliseconds after which an attempt is over, whatever happens. */
  readonly totalTimeoutMs: number
  /**
   * Refuses new attempts, closes idle connections at once and the others when they end; with `abort` those in
   * flight end now, as timeouts. Can be called again, then with `abort`.
   */
  close(options?: { readonly abort?: boolean }): Promise<void>
}

/**
 * Whether an endpoint may have this URL: syntax, scheme, and every address that its host has now. Gives the URL in
 * its normal form. A host that does not resolve passes: the same rules hold at every dial.
 * @param refuse why not, by what else the caller knows of it; asked before the host is looked up
 * Errors: url_rejected.
 */
export type UrlCheck = (url: string, refuse?: (url: URL) => string | null) => Promise<URL>
