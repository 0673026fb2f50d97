import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Engine } from '../engine/engine.ts'
import type { Authenticator } from './auth.ts'
import type { Deadlines } from './deadlines.ts'
import type { ErrorLog } from './error-log.ts'
import type { IngestLimit } from './ingest-limit.ts'
import type { ApiMetrics } from './options.ts'
import type { RequestBodies } from './request-bodies.ts'

/** The server as routes see it: handlers are typed by their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** What routes need. */
export interface ApiContext {
  readonly engine: Engine
  readonly clock: Clock
  readonly auth: Authenticator
  readonly metrics: ApiMetrics
  readonly bodies: RequestBodies
  readonly deadlines: Deadlines
  readonly log: Logger
  readonly errorLog: ErrorLog
  readonly ingestLimit: IngestLimit
  /** No token of the configuration could administer it. */
  readonly keepsLastAdmin: boolean
  /** Where browsers reach this server; null: as each request says. */
  readonly publicUrl: string | null
  /** Whoever has no credentials sees the server's catalogue. */
  readonly hasPublicEventTypes: boolean
  /** The server is stopping. */
  readonly isClosing: () => boolean
}
