/**
 * Between a socket and undici's parser: what is read for an attempt is counted, interim answers are taken out, and
 * heads are put into the form that the parser takes.
 *
 *     idle ─► head ─► body ─► idle
 *
 * The parser asks the socket by `read()`, so the gate stands there, on the socket that the connection owns. A stream
 * of our own between the two would cost a tenth of a request; this costs 1 to 2 µs. While nothing is asked of the
 * receiver, bytes pass as they are: the parser then closes the connection.
 */
import type { Socket } from 'node:net'
import { readResponseHead } from './response-head.ts'

/** Everything that an attempt may read: status line, headers, interim answers, chunk framing, trailers and body. */
export const maxAttemptBytes = 262_144

const lineFeed = 0x0a
const carriageReturn = 0x0d
const versionStart = Buffer.from('HTTP/')
const noBytes = Buffer.alloc(0)

export class ResponseGate {
  readonly #readSocket: () => Buffer | null
  readonly #onFlood: () => void
  #phase: 'idle' | 'head' | 'body' = 'idle'
  #bytes = 0
  #reusable = true
  readonly #head = new HeadBytes()

  /** Calls `onFlood` when an attempt has read more than it may; nothing of it is handed on from there. */
  constructor(socket: Socket, onFlood: () => void) {
    const read = socket.read
    this.#readSocket = () => read.call(socket) as Buffer | null
    this.#onFlood = onFlood
    // `read(0)` is Node's own way to ask for more.
    socket.read = (size?: number) => (size === undefined ? this.#next() : read.call(socket, size))
  }

  /** A request is written from now on. */
  begin(): void {
    this.#phase = 'head'
    this.#bytes = 0
    this.#head.clear()
  }

  /** The attempt is over. */
  end(): { readonly unread: boolean; readonly reusable: boolean } {
    this.#phase = 'idle'
    return { unread: this.#bytes === 0, reusable: this.#reusable }
  }

  #next(): Buffer | null {
    for (;;) {
      const chunk = this.#readSocket()
      if (chunk === null || this.#phase === 'idle') return chunk
      this.#bytes += chunk.length
      if (this.#bytes > maxAttemptBytes) {
        this.#reusable = false
        this.#onFlood()
        return null
      }
      if (this.#phase === 'body') return chunk
      this.#head.add(chunk)
      const passed = this.#passHead()
      if (passed !== null) return passed
    }
  }

  /** Null while the head is not complete. */
  #passHead(): Buffer | null {
    for (;;) {
      this.#head.skipEmptyLines()
      if (!this.#head.mayBeHttp()) return this.#pass(noBytes, 0)
      const end = this.#head.findEnd()
      if (end === null) return null
      const head = readResponseHead(this.#head.text(end))
      switch (head.kind) {
        case 'interim':
          this.#head.skip(end)
          break
        case 'as_received':
          return this.#pass(noBytes, 0)
        case 'rewritten':
          this.#reusable &&= head.reusable
          return this.#pass(Buffer.from(head.text, 'latin1'), end)
      }
    }
  }

  /** The new head, if there is one, and what is held but for the old one. */
  #pass(head: Buffer, from: number): Buffer {
    this.#phase = 'body'
    this.#head.skip(from)
    const rest = this.#head.take()
    return head.length === 0 ? rest : Buffer.concat([head, rest])
  }
}

/** What has come of a head so far. Bytes that come one by one are copied a bounded number of times. */
class HeadBytes {
  #bytes: Buffer = noBytes
  #start = 0
  #end = 0
  /** No head ends before this. */
  #searched = 0

  clear(): void {
    this.#bytes = noBytes
    this.#start = 0
    this.#end = 0
    this.#searched = 0
  }

  add(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#bytes = chunk
      this.#start = 0
      this.#searched = 0
      this.#end = chunk.length
      return
    }
    const size = this.#end - this.#start + chunk.length
    if (this.#end + chunk.length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(size * 2)
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#searched -= this.#start
      this.#end -= this.#start
      this.#start = 0
      this.#bytes = larger
    }
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  skip(bytes: number): void {
    this.#start += bytes
    this.#searched = this.#start
  }

  take(): Buffer {
    const taken = this.#bytes.subarray(this.#start, this.#end)
    this.clear()
    return taken
  }

  text(length: number): string {
    return this.#bytes.toString('latin1', this.#start, this.#start + length)
  }

  skipEmptyLines(): void {
    let at = this.#start
    while (at < this.#end && (this.#bytes[at] === carriageReturn || this.#bytes[at] === lineFeed)) at++
    if (at > this.#start) this.skip(at - this.#start)
  }

  mayBeHttp(): boolean {
    const size = Math.min(versionStart.length, this.#end - this.#start)
    return versionStart.compare(this.#bytes, this.#start, this.#start + size, 0, size) === 0
  }

  /** Bytes up to and with the empty line; null when it has not come yet. */
  findEnd(): number | null {
    const end = this.#end
    const bytes = end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, end)
    for (;;) {
      const at = bytes.indexOf(lineFeed, this.#searched)
      if (at < 0) {
        this.#searched = end
        return null
      }
      const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1
      if (next >= end) {
        this.#searched = at
        return null
      }
      if (bytes[next] === lineFeed) return next + 1 - this.#start
      this.#searched = at + 1
    }
  }
}
