/** What the adapters of all frameworks share: options, and what a request is answered that does not verify. */
import { BodyTooLargeError, VerificationError } from '../errors.ts'
import type { VerifierOptions } from '../verifier.ts'

export interface ReadOptions {
  /** Of a body that this package reads itself. Default 1 MiB; Outhook sends 256 KiB at most. */
  readonly maxBodyBytes?: number
}

export interface ReceiverOptions extends VerifierOptions, ReadOptions {}

export const defaultMaxBodyBytes = 1024 * 1024

export interface Refusal {
  readonly status: 401 | 413
  readonly body: { readonly error: string }
}

/** Mistakes of the receiver's own are thrown on, because the framework answers those with 500 and logs them. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof VerificationError)) throw error
  // Never 400: senders give up then, and a wrong clock or secret will be mended.
  return { status: error instanceof BodyTooLargeError ? 413 : 401, body: { error: error.code } }
}
