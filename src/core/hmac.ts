/**
 * HMAC-SHA256 with a key that is kept (RFC 2104), as two one-shot hashes. `createHmac` makes an object with a native half
 * for each signature: for 500 bytes it takes 3.5 to 4.9 µs and leaves garbage, this takes 1.7 µs. Beyond a few kilobytes
 * the hash itself decides, and `createHmac` copies nothing.
 */
import { createHash, createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'

const blockBytes = 64
const hashBytes = 32
/** Of the head and the body together, up to which they are copied behind the key's block. */
const maxCopiedBytes = 16 * 1024
/** UTF-8 of one UTF-16 unit. */
const maxBytesPerUnit = 3

/** Holds one message at a time; nothing is kept in it from one signature to the next. */
const scratch = Buffer.alloc(blockBytes + maxCopiedBytes)

export class HmacKey {
  /** For large bodies. */
  readonly #key: KeyObject
  /** The key's block of the inner hash. */
  readonly #inner: Buffer
  /** The key's block of the outer hash, with room for the inner one. */
  readonly #outer: Buffer

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
    this.#inner = Buffer.alloc(blockBytes, 0x36)
    this.#outer = Buffer.alloc(blockBytes + hashBytes, 0x5c)
    const block = key.length > blockBytes ? createHash('sha256').update(key).digest() : key
    for (const [index, byte] of block.entries()) {
      this.#inner[index] = byte ^ 0x36
      this.#outer[index] = byte ^ 0x5c
    }
  }

  /** The signature of the head, in UTF-8, and the body behind it. */
  sign(head: string, body: Uint8Array, encoding: 'base64' | 'hex'): string {
    if (head.length * maxBytesPerUnit + body.length > maxCopiedBytes) {
      return createHmac('sha256', this.#key).update(head).update(body).digest(encoding)
    }
    scratch.set(this.#inner)
    const end = blockBytes + scratch.write(head, blockBytes)
    scratch.set(body, end)
    const inner = hash('sha256', scratch.subarray(0, end + body.length), 'binary')
    this.#outer.write(inner, blockBytes, 'latin1')
    return hash('sha256', this.#outer, encoding)
  }
}
