/** What a caller says of an endpoint, and the members that it may have. */
import type { SigningScheme } from '../core/model.ts'

export interface EndpointInput {
  readonly url: string
  /** A name of the caller's own, unique per tenant: 1 to 255 characters. */
  readonly uid?: string | null
  readonly description?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Default `['standard']` (Standard Webhooks); `'hookrail'` for receivers of that server, `'none'` for no signature. */
  readonly signingSchemes?: readonly SigningScheme[]
  /** Requests in flight to it at one time, from all processes together, 1 to 1000; default 32. */
  readonly maxInFlight?: number
  /**
   * Requests to it per second, 0.01 to 1 000 000, on average; up to two seconds' worth may go at once. Null, the
   * default: no limit.
   */
  readonly rateLimitRps?: number | null
  /** Makes the endpoint's own subscription. */
  readonly topics?: readonly string[]
  /** For the own subscription: a profile's name or a policy object as in the API (snake_case JSON). */
  readonly retryPolicy?: unknown
  /** `whsec_…` or `whsk_…`; generated when absent. */
  readonly secret?: string
}

export type EndpointChange = Omit<Partial<EndpointInput>, 'secret'> & {
  /** False parks its deliveries until it is enabled again. */
  readonly enabled?: boolean
}

export const inputMembers = {
  url: true,
  uid: true,
  description: true,
  headers: true,
  signingSchemes: true,
  maxInFlight: true,
  rateLimitRps: true,
  topics: true,
  retryPolicy: true,
  secret: true,
} satisfies Record<keyof EndpointInput, true>

const { secret: _atCreationOnly, ...settings } = inputMembers
export const changeMembers = { ...settings, enabled: true } satisfies Record<keyof EndpointChange, true>
