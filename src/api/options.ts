import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Principal } from '../engine/principal.ts'
import type { PortalOptions } from './portal-page.ts'

export type IngestResult =
  | 'accepted'
  | 'replayed'
  | 'conflict'
  | 'rejected'
  | 'forbidden'
  | 'limited'
  | 'backlog_full'
  | 'unavailable'

export type WrongToken = 'missing' | 'unknown' | 'slowed'

/** The metrics as they are needed here. */
export interface ApiMetrics {
  /** Counts one event that somebody tried to publish. */
  ingest(result: IngestResult): void
  /** Counts one request without credentials, or with such as nobody has. */
  wrongToken(reason: WrongToken): void
  /** Counts one request that was answered. `route` is null where none was found. */
  request(answered: {
    readonly method: string
    readonly route: string | null
    readonly status: number
    readonly elapsedMs: number
  }): void
  readonly contentType: string
  /** The text for `/metrics`. */
  render(): Promise<string>
}

export interface ApiTimeouts {
  /** From the first byte of a request until its headers are complete. */
  readonly headersMs: number
  /** Until its body is complete too. */
  readonly requestMs: number
  /** Until it is answered, from its arrival; 503 then. */
  readonly handlerMs: number
  /** Between requests on one connection. */
  readonly keepAliveMs: number
  /** A connection on which nothing happens, an answer that nobody reads included; closed without a word then. */
  readonly idleMs: number
  /** How often the first two are looked at. */
  readonly checkMs: number
  /** For requests that run when the server stops. */
  readonly closeMs: number
}

export const defaultTimeouts: ApiTimeouts = {
  headersMs: 5_000,
  requestMs: 15_000,
  handlerMs: 30_000,
  keepAliveMs: 60_000,
  idleMs: 60_000,
  checkMs: 1_000,
  closeMs: 10_000,
}

export interface ApiOptions {
  /** Shown at `/openapi.json` and `/docs`. */
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: ApiMetrics
  /**
   * Admin tokens from the configuration. They are compared by digest in constant time and work while the store is
   * down; all other tokens are looked up.
   */
  readonly adminTokens?: readonly string[]
  /** How long a looked-up key is trusted without asking the store; 0 asks every time. Default 5 s, at most 5 s. */
  readonly keyCacheMs?: number
  /** Events a second for each producer key that has no rate of its own; 0, the default: no limit. */
  readonly ingestRate?: number
  readonly timeouts?: Partial<ApiTimeouts>
  /** Why the server only answers `/healthz` yet; null: it has started, and `engine` is whole. Default: null. */
  readonly whyStarting?: () => string | null
  /** Only `/healthz`, `/readyz` and `/metrics`: the process delivers and takes nothing in. Default false. */
  readonly operationsOnly?: boolean
  /** Where browsers reach this server, without a slash at its end. Default: as each request says. */
  readonly publicUrl?: string | null
  /** How the portal is served; null: it is not. Default: as the settings are when nobody says. */
  readonly portal?: PortalOptions | null
  /** Serves the dashboard. Default true. */
  readonly dashboard?: boolean
  /** Shows the server's catalogue of event types to whoever asks, at `/event-types/`. Default false. */
  readonly publicEventTypes?: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set on every route that wants credentials, before the body is read. */
    principal: Principal | null
    /** By which it is known that a browser asks which is signed in; null: it sent a token. */
    signInText: string | null
    /** Whose objects it is about, once its scope is known. */
    tenantId: string | null
  }
}
