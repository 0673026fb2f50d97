/** Browsers that are signed in. The rules of `../port.ts` hold. */

export interface NewSignIn {
  /** SHA-256 of what the browser has; the text itself never reaches the store. */
  readonly hash: Uint8Array
  /** By which the token is found again, at each use, that the browser was signed in with. */
  readonly tokenHash: Uint8Array
  readonly lifeMs: number
}

export interface FoundSignIn {
  readonly tokenHash: Uint8Array
  readonly until: number
}

export interface SignInStore {
  /** Returns when it ends by itself. Those that have ended make room. */
  insertSignIn(signIn: NewSignIn): Promise<number>
  /** For each hash the sign-in that has not ended, in one read and in the order of the hashes. */
  findSignIns(hashes: readonly Uint8Array[]): Promise<readonly (FoundSignIn | null)[]>
  /**
   * Ends it and answers with what it was; null: it had ended. Of all who ask, at whatever time, one gets it.
   */
  takeSignIn(hash: Uint8Array): Promise<FoundSignIn | null>
  /** Can be called again. */
  deleteSignIn(hash: Uint8Array): Promise<void>
}
