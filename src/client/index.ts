/**
 * The client of a server: every call of its API, with types from its schemas. No dependencies: it runs wherever `fetch`
 * does.
 */
export { type Client, createClient, type RawRequest, type SendOptions, type SendReceipt } from './client.ts'
export type { EventInput } from './envelopes.ts'
export {
  ApiError,
  AuthenticationError,
  BacklogFullError,
  BadRequestError,
  ClientError,
  ClientOptionError,
  ConflictError,
  ConnectionError,
  NotDeliveredError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  type Problem,
  RateLimitError,
  RetryError,
  ServerError,
  TimeoutError,
  UnexpectedAnswerError,
  UnprocessableError,
  VersionConflictError,
} from './errors.ts'
export type * from './generated/types.ts'
export { type Page, PagePromise } from './pages.ts'
export type { CallOptions, ClientOptions, HttpMethod, QueryValue } from './requester.ts'
export type { RetryOptions } from './retry.ts'
export type { DirectSendInput, SentDirectly } from './send-direct.ts'
export type { SentEvent } from './send-many.ts'
export type { StreamedItem, StreamOptions, StreamQuery } from './stream.ts'
export type { WaitOptions } from './wait.ts'
