/**
 * The larger bytes of a message to or from a thread, in one buffer that changes hands without a copy. Cloned one
 * by one, each view would take the whole buffer that it looks into along; transferred one by one, the caller's
 * would be gone.
 */
export class BytePacker {
  readonly #parts: Uint8Array[] = []
  #length = 0

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#length += 4 + bytes.byteLength
  }

  /** Every part behind its length. Null: nothing was added. */
  pack(): Uint8Array<ArrayBuffer> | null {
    if (this.#parts.length === 0) return null
    const packed = new Uint8Array(this.#length)
    const view = new DataView(packed.buffer)
    let at = 0
    for (const part of this.#parts) {
      view.setUint32(at, part.byteLength)
      packed.set(part, at + 4)
      at += 4 + part.byteLength
    }
    return packed
  }
}

export class ByteUnpacker {
  readonly #packed: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(packed: Uint8Array | null) {
    this.#packed = packed ?? new Uint8Array(0)
    this.#view = new DataView(this.#packed.buffer, this.#packed.byteOffset, this.#packed.byteLength)
  }

  /** The next part, in the order in which they were added; a view. */
  next(): Uint8Array {
    const length = this.#view.getUint32(this.#at)
    const start = this.#at + 4
    this.#at = start + length
    return this.#packed.subarray(start, this.#at)
  }
}

export const noBytes: Uint8Array = new Uint8Array(0)
