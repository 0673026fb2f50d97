/**
 * Bodies that are under way, and a bound on what they take in all: without it a few hundred unfinished batches would
 * fill the memory. When there is no room, the body that has waited the longest for its next byte is given up, so
 * that whoever sends goes on beside any number of those who have stopped.
 */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'

/** Sixteen batches of the largest size. */
export const maxBodiesBytes = 64 * 1024 * 1024

/** Bodies from this size on have pages of their own, which go back to the system the moment they are let go. */
const ownPagesBytes = 64 * 1024
/** Chunks from this size on are let go as soon as they are copied; for smaller ones that costs more than it frees. */
const releasedChunkBytes = 4096

type Done = (error: Error | null, body?: Buffer) => void

export interface RequestBodies {
  /** Calls back once, with the whole body in a buffer of its own, or with why there is none. */
  read(incoming: Incoming, done: Done): void
  /** The request was read and refused elsewhere already: whoever reads it next is told why. */
  refuse(payload: IncomingMessage, refusal: Refusal): void
  /** How long the request was elsewhere before that. */
  waitedMs(payload: IncomingMessage): number
}

interface Refusal {
  readonly error: unknown
  readonly waitedMs: number
}

export function createRequestBodies(maxBytes = maxBodiesBytes): RequestBodies {
  /** Whose last byte came first stands first. */
  const underWay = new Set<Upload>()
  let held = 0
  const refused = new WeakMap<IncomingMessage, Refusal>()

  /** False: even alone it does not fit. */
  const makeRoom = (wanted: number, upload: Upload): boolean => {
    for (const other of underWay) {
      if (held + wanted <= maxBytes) break
      if (other !== upload) other.giveUp()
    }
    return held + wanted <= maxBytes
  }

  return {
    refuse: (payload, refusal) => void refused.set(payload, refusal),
    waitedMs: (payload) => refused.get(payload)?.waitedMs ?? 0,
    read(incoming, done) {
      const refusal = refused.get(incoming.payload)
      if (refusal !== undefined) {
        done(refusal.error as Error)
        return
      }
      const upload = new Upload(incoming, (error, body) => {
        underWay.delete(upload)
        held -= upload.capacity
        done(error, body)
      })
      upload.start((wanted) => {
        underWay.delete(upload)
        underWay.add(upload)
        if (wanted > 0 && !makeRoom(wanted, upload)) return false
        held += wanted
        return true
      })
    },
  }
}

export interface Incoming {
  readonly payload: IncomingMessage
  readonly limit: number
  /** Not a number: its length is not told ahead. */
  readonly declared: number
}

class Upload {
  readonly #incoming: Incoming
  readonly #done: Done
  #reserve: (bytes: number) => boolean = () => false
  #buffer: Buffer = Buffer.alloc(0)
  /** What the buffer lies in, once the body is large. */
  #pages: ArrayBuffer | null = null
  #capacity = 0
  #length = 0
  #isOver = false

  constructor(incoming: Incoming, done: Done) {
    this.#incoming = incoming
    this.#done = done
  }

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.#capacity
  }

  /** `reserve` is asked with every chunk for what it needs besides; false ends the upload. */
  start(reserve: (bytes: number) => boolean): void {
    const { payload, declared, limit } = this.#incoming
    if (declared > limit) {
      this.#end(tooLarge())
      return
    }
    this.#reserve = reserve
    payload.on('data', this.#take)
    payload.on('end', this.#finish)
    payload.on('error', this.#fail)
    payload.on('close', this.#fail)
    payload.resume()
  }

  giveUp(): void {
    this.#end(overloaded())
  }

  // Chunks are copied together at once: a body of many tiny ones takes no more than its bytes.
  readonly #take = (chunk: Buffer): void => {
    const { limit, declared } = this.#incoming
    const needed = this.#length + chunk.length
    if (needed > limit) {
      this.#end(tooLarge())
      return
    }
    const most = declared >= needed ? declared : limit
    const enough = Math.min(Math.max(needed, this.#buffer.length * 2), most)
    const missing = needed > this.#buffer.length ? enough - this.#buffer.length : 0
    if (!this.#reserve(missing)) {
      this.giveUp()
      return
    }
    if (missing > 0) this.#grow(enough, most)
    chunk.copy(this.#buffer, this.#length)
    releaseChunk(chunk)
    this.#length = needed
  }

  /**
   * A resizable buffer grows in place, and lies in pages of its own. Buffers of `malloc`, each twice as large as the
   * one before, left holes behind: after a flood of bodies the process kept 110 MB for good.
   */
  #grow(bytes: number, most: number): void {
    const before = this.#buffer
    if (this.#pages !== null) {
      this.#pages.resize(bytes)
      this.#buffer = Buffer.from(this.#pages, 0, bytes)
    } else {
      if (bytes >= ownPagesBytes) this.#pages = new ArrayBuffer(bytes, { maxByteLength: most })
      this.#buffer = this.#pages === null ? Buffer.allocUnsafe(bytes) : Buffer.from(this.#pages, 0, bytes)
      before.copy(this.#buffer, 0, 0, this.#length)
    }
    this.#capacity = bytes
  }

  readonly #finish = (): void => {
    const { declared } = this.#incoming
    const isWhole = Number.isNaN(declared) || declared === this.#length
    if (!isWhole) this.#end(endedEarly())
    else this.#end(null, this.#takeBody())
  }

  /** Of a fixed length, because not everything takes a resizable buffer; its pages go back. */
  #takeBody(): Buffer {
    if (this.#pages === null) return this.#buffer.subarray(0, this.#length)
    return Buffer.from(this.#pages.transferToFixedLength(this.#length))
  }

  readonly #fail = (error?: Error): void => {
    this.#end(error ?? endedEarly())
  }

  /** What still comes is read and dropped. */
  #end(error: Error | null, body?: Buffer): void {
    if (this.#isOver) return
    this.#isOver = true
    const { payload } = this.#incoming
    payload.off('data', this.#take)
    payload.off('end', this.#finish)
    payload.off('close', this.#fail)
    // The listener for errors stays: one that comes now has no other.
    if (error !== null) payload.on('data', releaseChunk).resume()
    this.#done(error, body)
    if (this.#pages !== null) release(this.#pages)
    this.#pages = null
    this.#buffer = Buffer.alloc(0)
  }
}

function releaseChunk({ length, buffer }: Buffer): void {
  if (length >= releasedChunkBytes && length === buffer.byteLength) release(buffer)
}

/** At once: the collector would come to it much later, because it is moved by small objects. */
function release(memory: ArrayBufferLike): void {
  if (memory instanceof ArrayBuffer && !memory.detached) memory.transferToFixedLength(0)
}

/** With the codes that fastify's own reader has, which the answers go by. */
function tooLarge(): Error {
  return Object.assign(new Error('the body is too large'), {
    code: 'FST_ERR_CTP_BODY_TOO_LARGE',
    statusCode: 413,
  })
}

function endedEarly(): Error {
  const code = 'FST_ERR_CTP_INVALID_CONTENT_LENGTH'
  return Object.assign(new Error('the body ended early'), { code, statusCode: 400 })
}

function overloaded(): OuthookError {
  const message =
    'too many bodies are being received at once; send the request again, and its body without a pause'
  return new OuthookError('overloaded', message, { publicDetail: message, retryAfterSeconds: 1 })
}
