/** The exchange of the master key. The rules of `../port.ts` hold. */

/** The row of `meta` with the check value of the key that seals. */
export const masterKeyCheck = 'master_key_check'

/** The row of `meta` that stands there while the key is exchanged: both check values and since when, as JSON. */
export const masterKeyExchange = 'master_key_exchange'

/** A value of a sealed column (`store/sealed-columns.ts`). */
export interface SealedValue {
  readonly key: Uint8Array
  /** Out of which the context is made. */
  readonly place: Uint8Array
  readonly sealed: Uint8Array
}

export interface SealedSlice {
  /** Those of the rows that were looked at whose values are sealed under the key. */
  readonly values: readonly SealedValue[]
  /** Where the next slice begins; null: this was the last one. */
  readonly next: Uint8Array | null
}

export interface MetaChange {
  readonly name: string
  /** What has to be there; null: nothing. */
  readonly from: string | null
  /** Null: nothing is there afterwards. */
  readonly to: string | null
}

export interface MasterKeyStore {
  getMeta(name: string): Promise<string | null>
  /** All of the changes, or none and false when something is not what it should be. Atomic. */
  replaceMeta(changes: readonly MetaChange[]): Promise<boolean>
  /**
   * Looks at `limit` rows of a sealed column, in the order of their keys.
   * @param column its place in `sealedColumns`
   * @param fingerprint of the key whose values are asked for
   * @param after `next` of the slice before; null: the beginning
   */
  listSealed(
    column: number,
    fingerprint: string,
    after: Uint8Array | null,
    limit: number,
  ): Promise<SealedSlice>
  /** Puts `to` in place of `from`, where that is still there. Atomic. The answer: how many were replaced. */
  replaceSealed(
    column: number,
    values: readonly { readonly key: Uint8Array; readonly from: Uint8Array; readonly to: Uint8Array }[],
  ): Promise<number>
  /** Values under the key, in all sealed columns. Reads them all. */
  countSealed(fingerprint: string): Promise<number>
}
