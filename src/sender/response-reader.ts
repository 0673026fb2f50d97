/**
 * Reads answers off a connection, one after the other:
 *
 *     idle ── begin ─► head ─► body ─► idle
 *                       └─ 1xx ─┘
 *
 * Everything that is read for one attempt counts against one bound. What comes in `idle` was asked for by nobody.
 */
import { ChunkedBody } from './chunked-body.ts'
import { type Framing, type ResponseHead, readResponseHead } from './response-head.ts'

/**
 * Everything that an attempt may read: status line, headers, interim answers, chunk framing, trailers and body. With
 * twice as much the p99 of healthy endpoints beside forty receivers without end was 1.9 times as high as without them,
 * with this 1.5 times.
 */
export const maxAttemptBytes = 131_072
/** Few send more than one; a hundred leave room for a sign of life each second (102) while an answer is worked on. */
const maxInterimAnswers = 100

const lineFeed = 0x0a
const carriageReturn = 0x0d
const shortLine = 64
const versionStart = Buffer.from('HTTP/')
const noBytes = Buffer.alloc(0)
const interim = /^HTTP\/1\.\d[ \t\v\f\r]+1(?!01)\d\d(?:\s|$)/

export interface ResponseListener {
  onHead(head: ResponseHead): void
  onBody(chunk: Buffer): void
  /** `hasMore`: bytes came behind the end, which nobody asked for. */
  onEnd(hasMore: boolean): void
  /** It is no HTTP, or breaks off being it within its body. */
  onInvalid(): void
  /** More came than an attempt may read, which `what` names; nothing of it is handed on from there. */
  onFlood(what: string): void
}

export class ResponseReader {
  readonly #listener: ResponseListener
  readonly #head = new HeadBytes()
  #phase: 'idle' | 'head' | 'body' = 'idle'
  #bytes = 0
  #interimAnswers = 0
  /** Of the body; with a length, the bytes that are to come. */
  #framing: Framing['kind'] = 'none'
  #left = 0
  #chunks: ChunkedBody | null = null

  constructor(listener: ResponseListener) {
    this.#listener = listener
  }

  /** A request is written from now on. */
  begin(): void {
    this.#phase = 'head'
    this.#bytes = 0
    this.#interimAnswers = 0
    this.#head.clear()
  }

  /** Nothing more is wanted. Says whether nothing at all had come. */
  stop(): boolean {
    this.#phase = 'idle'
    return this.#bytes === 0
  }

  /** False: nobody asked for these bytes, which are the caller's again afterwards. */
  push(chunk: Buffer): boolean {
    if (this.#phase === 'idle') return false
    this.#bytes += chunk.length
    if (this.#bytes > maxAttemptBytes) {
      const unended = this.#phase === 'body' ? 'answer' : "answer's headers"
      this.#flood(`${maxAttemptBytes} bytes and no end of its ${unended}`)
    } else if (this.#phase === 'body') {
      this.#pushBody(chunk)
    } else {
      this.#head.add(chunk)
      this.#readHeads()
    }
    return true
  }

  /** The receiver has ended the connection. True when that is the proper end of the answer. */
  end(): boolean {
    if (this.#phase !== 'body' || this.#framing !== 'until_close') return false
    this.#finish(false)
    return true
  }

  #readHeads(): void {
    for (;;) {
      this.#head.skipEmptyLines()
      if (!this.#head.mayBeHttp()) {
        this.#fail()
        return
      }
      const end = this.#head.findEnd()
      if (end === null) {
        this.#head.own()
        return
      }
      const text = this.#head.text(end)
      this.#head.skip(end)
      if (interim.test(text)) {
        this.#interimAnswers++
        if (this.#interimAnswers <= maxInterimAnswers) continue
        this.#flood(`${maxInterimAnswers} interim answers and no other`)
        return
      }
      const head = readResponseHead(text)
      if (head === null) this.#fail()
      else this.#beginBody(head, this.#head.take())
      return
    }
  }

  #beginBody(head: ResponseHead, rest: Buffer): void {
    const { framing } = head
    this.#phase = 'body'
    this.#framing = framing.kind
    this.#left = framing.kind === 'length' ? framing.bytes : 0
    this.#chunks = framing.kind === 'chunked' ? new ChunkedBody() : null
    this.#listener.onHead(head)
    // The listener may have had enough.
    if (this.#phase === 'body') this.#pushBody(rest)
  }

  #pushBody(bytes: Buffer): void {
    switch (this.#framing) {
      case 'none':
        this.#finish(bytes.length > 0)
        return
      case 'until_close':
        if (bytes.length > 0) this.#listener.onBody(bytes)
        return
      case 'length': {
        const body = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
        this.#left -= body.length
        if (body.length > 0) this.#listener.onBody(body)
        if (this.#left === 0 && this.#phase === 'body') this.#finish(bytes.length > body.length)
        return
      }
      case 'chunked':
        this.#pushChunks(bytes)
    }
  }

  #pushChunks(bytes: Buffer): void {
    const chunks = this.#chunks
    if (chunks === null) return
    const rest = chunks.push(bytes, (data) => this.#listener.onBody(data))
    if (this.#phase !== 'body') return
    if (chunks.state === 'done') this.#finish(rest.length > 0)
    else if (chunks.state === 'broken') this.#fail()
    else if (chunks.state === 'flood') this.#flood('more chunks or trailers than an answer has')
  }

  #finish(hasMore: boolean): void {
    this.#phase = 'idle'
    this.#chunks = null
    this.#listener.onEnd(hasMore)
  }

  #flood(what: string): void {
    this.#phase = 'idle'
    this.#chunks = null
    this.#listener.onFlood(what)
  }

  #fail(): void {
    this.#phase = 'idle'
    this.#chunks = null
    this.#listener.onInvalid()
  }
}

/** What has come of a head so far. Bytes that come one by one are copied a bounded number of times. */
class HeadBytes {
  #bytes: Buffer = noBytes
  #isOwn = true
  #start = 0
  #end = 0
  /** No head ends before this. */
  #searched = 0

  clear(): void {
    this.#bytes = noBytes
    this.#isOwn = true
    this.#start = 0
    this.#end = 0
    this.#searched = 0
  }

  add(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#bytes = chunk
      this.#isOwn = false
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

  /** Of the last chunk, which its owner uses again, the part that is wanted later. */
  own(): void {
    if (this.#isOwn) return
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#end))
    this.#isOwn = true
    this.#searched -= this.#start
    this.#end -= this.#start
    this.#start = 0
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

  /**
   * Bytes up to and with the empty line; null when it has not come yet. Short lines byte by byte: a search by the
   * platform costs 0.2 µs for each, which a flood of them makes 2 ms of, and long ones by such a search.
   */
  findEnd(): number | null {
    const end = this.#end
    const bytes = this.#bytes
    let at = this.#searched
    while (at < end) {
      const near = Math.min(end, at + shortLine)
      while (at < near && bytes[at] !== lineFeed) at++
      if (at === near) {
        const found = bytes.indexOf(lineFeed, at)
        if (found < 0 || found >= end) break
        at = found
      }
      const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1
      if (next >= end) {
        this.#searched = at
        return null
      }
      if (bytes[next] === lineFeed) return next + 1 - this.#start
      at++
    }
    this.#searched = end
    return null
  }
}
