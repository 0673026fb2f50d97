/** What a caller says of an endpoint, and the members that it may have. */
import type { SendMethod } from '../core/direct-request.ts'
import type { FilterInput } from '../core/filter/condition.ts'
import type { SigningSchemeInput } from '../core/signing-scheme.ts'
import type { SecretKind } from '../core/signing-secrets.ts'
import type { HealthInput } from './health-settings.ts'

export interface EndpointInput extends HealthInput {
  /** What is sent to, one of `destinations/kinds.ts`: `'http'`, the default, or such as `'discord'`. It never changes. */
  readonly kind?: string
  /** This or `urls`. */
  readonly url?: string
  /** A pool of 1 to 10 URLs, between which requests go round. */
  readonly urls?: readonly string[]
  /** True: where a URL of the pool cannot be reached, the same attempt goes on to the next one. Default false. */
  readonly failOver?: boolean
  /** What its kind asks for besides, such as the `template` of a message; null, the default: as the kind has it. */
  readonly settings?: Readonly<Record<string, unknown>> | null
  /** A name of the caller's own, unique per tenant: 1 to 255 characters. */
  readonly uid?: string | null
  readonly description?: string
  /** Default `'POST'`. Requests of `'GET'` and `'DELETE'` carry no body. */
  readonly method?: SendMethod
  /** At most 32, sent with each request. Those that the sender makes and names of secrets are refused. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of the body, such as `'application/cloudevents+json'`. Null, the default: `'application/json'`. */
  readonly contentType?: string | null
  /** Of one attempt: `'30s'` or milliseconds, from a second to a minute. Null, the default: that of the server. */
  readonly timeout?: string | number | null
  /**
   * Default `['standard']` (Standard Webhooks). Others are `'hookrail'`, `'pyfly'`, `'github'`, `'stripe'`,
   * `'shopify'`, `'slack'`, an object `{ type: 'hmac', … }` for a form of your own, and `'none'` for no signature.
   */
  readonly signingSchemes?: readonly SigningSchemeInput[]
  /** Requests in flight to it at one time, from all processes together, 1 to 1000; default 32. */
  readonly maxInFlight?: number
  /**
   * Requests to it per second, 0.01 to 1 000 000, on average; up to two seconds' worth may go at once. Null, the
   * default: no limit.
   */
  readonly rateLimitRps?: number | null
  /** The id of a credential that its requests authenticate with; null, the default: none. */
  readonly credentialId?: string | null
  /**
   * The id of a credential of the kind `client_certificate` that its connections show, where requests have a credential of
   * another kind besides. Null, the default: none.
   */
  readonly clientCertificateId?: string | null
  /** Makes the endpoint's own subscription. */
  readonly topics?: readonly string[]
  /** For the own subscription: what payloads have to be like. Null: they may be anything. */
  readonly filter?: FilterInput | null
  /** Of its subscriptions that have none of their own: a profile's name or a policy object as in the API (snake_case JSON). */
  readonly retryPolicy?: unknown
  /** `whsec_…` or `whsk_…`, or without the scheme `standard` any text of 8 to 256 characters; generated when absent. */
  readonly secret?: string
  /** Of the secret that is generated: `hmac`, the default, or `ed25519`, of which receivers get a public key. */
  readonly keyType?: SecretKind
}

export type EndpointChange = Omit<Partial<EndpointInput>, 'secret' | 'keyType'> & {
  /** False parks its deliveries until it is enabled again. */
  readonly enabled?: boolean
}

export const inputMembers = {
  kind: true,
  url: true,
  urls: true,
  failOver: true,
  settings: true,
  uid: true,
  description: true,
  method: true,
  headers: true,
  contentType: true,
  timeout: true,
  signingSchemes: true,
  maxInFlight: true,
  rateLimitRps: true,
  credentialId: true,
  clientCertificateId: true,
  topics: true,
  filter: true,
  retryPolicy: true,
  breakerThreshold: true,
  breakerPause: true,
  breakerMaxPause: true,
  disableAfter: true,
  secret: true,
  keyType: true,
} satisfies Record<keyof EndpointInput, true>

const { secret: _secret, keyType: _keyType, ...settings } = inputMembers
export const changeMembers = { ...settings, enabled: true } satisfies Record<keyof EndpointChange, true>
