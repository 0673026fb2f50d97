/**
 * Verifies webhooks at their receiver. No dependencies: it runs wherever `fetch` and WebCrypto do.
 */
export { expressWebhook } from './adapters/express.ts'
export { fastifyWebhook } from './adapters/fastify.ts'
export { type FetchRequest, verifyRequest, webhookHandler } from './adapters/fetch.ts'
export { honoWebhook } from './adapters/hono.ts'
export { type NodeRequest, verifyNodeRequest } from './adapters/node.ts'
export type { ReadOptions, ReceiverOptions } from './adapters/receiver.ts'
export type { RawBody } from './bytes.ts'
export {
  BodyTooLargeError,
  MalformedHeaderError,
  MissingHeaderError,
  NoMatchError,
  TimestampError,
  VerificationError,
  type VerificationErrorCode,
  VerifierUsageError,
  type VerifierUsageErrorCode,
} from './errors.ts'
export type { HeadersInput } from './headers.ts'
export { type FetchKeys, type PublicKeys, type PublicKeysOptions, publicKeysAt } from './public-keys.ts'
export { webhookOf } from './verified-requests.ts'
export {
  createVerifier,
  type HmacScheme,
  type SchemeName,
  type Secrets,
  type SignedRequest,
  type VerifiedWebhook,
  type Verifier,
  type VerifierOptions,
  verify,
} from './verifier.ts'
