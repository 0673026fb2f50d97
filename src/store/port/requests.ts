/** What a call that has an idempotency key of its own wrote, and what was answered. The rules of `../port.ts` hold. */
import type { Actor } from '../../core/audit.ts'

/** Writes that can be kept under a key: what comes out of each is JSON. */
export const keptWrites = [
  'cancelDelivery',
  'cancelJob',
  'insertApiKey',
  'insertCredential',
  'insertEndpoint',
  'insertEventType',
  'insertJob',
  'insertPortalLink',
  'insertSubscription',
  'insertTenant',
  'pauseJob',
  'putEventTypes',
  'replay',
  'resend',
  'resumeJob',
  'rotateApiKey',
  'rotateSecret',
  'setPrimarySecret',
  'updateEndpoint',
  'updateTenant',
] as const

export type KeptWriteName = (typeof keptWrites)[number]

export interface NewKeptRequest {
  /** SHA-256 of whose key it is and of the key. */
  readonly id: Uint8Array
  /** SHA-256 of what was asked for. */
  readonly hash: Uint8Array
  /** Sealed: what the secrets of the answer are made of. */
  readonly seed: Uint8Array
  readonly ttlMs: number
}

export interface KeptRequest {
  readonly hash: Uint8Array
  readonly seed: Uint8Array
  /** Null: nothing was written. */
  readonly write: { readonly name: string; readonly result: unknown } | null
  /** Sealed; null: it was not kept. */
  readonly answer: Uint8Array | null
}

export interface KeptWrite {
  readonly name: KeptWriteName
  readonly args: readonly unknown[]
  /** Who makes it; absent: it leaves no line in the audit log. */
  readonly actor?: Actor
}

export interface RequestStore {
  /** Null: there is none, or its time is over. */
  getRequest(id: Uint8Array): Promise<KeptRequest | null>
  /**
   * Does the write and keeps its result under the request's id, in one transaction; a write that is refused leaves
   * nothing. `taken`, and nothing is done: there is such a request already. Whoever comes while the same request is
   * written waits for it.
   */
  writeOnce(
    request: NewKeptRequest,
    write: KeptWrite,
  ): Promise<{ readonly kind: 'done'; readonly result: unknown } | { readonly kind: 'taken' }>
  /** Keeps the answer of a request, which need not have written anything. */
  keepAnswer(request: NewKeptRequest, answer: Uint8Array): Promise<void>
}

const refusals: ReadonlySet<unknown> = new Set([
  'uid_exists',
  'name_exists',
  'credential_missing',
  'too_many',
  'too_large',
  'tenant_deleted',
  'endpoint_not_available',
  'not_found',
  'not_replayable',
  'expired',
  'expunged',
  'in_flight',
  'finished',
])

/** Whether the write did something, as its result says. */
export function isDone(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return result === true
  return !('kind' in result && refusals.has(result.kind))
}
