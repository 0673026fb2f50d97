/** The places in memory of deliveries that were handed off, or are about to be, and wait for a slot. */

const maxWaiting = 2048
/** Their payloads stay in memory until they are sent. */
const maxWaitingBytes = 32 * 1024 * 1024

export class Places {
  #taken = 0
  #bytes = 0

  /** A quarter is taken. */
  get areFilling(): boolean {
    return this.#taken >= maxWaiting / 4
  }

  hasRoom(bytes: number): boolean {
    return this.#taken < maxWaiting && this.#bytes + bytes <= maxWaitingBytes
  }

  /** Returns what gives the place back; to be called once. */
  take(bytes: number): () => void {
    this.#taken++
    this.#bytes += bytes
    return () => {
      this.#taken--
      this.#bytes -= bytes
    }
  }
}
