/**
 * The chunked coding of RFC 9112, 7.1: sizes in hex, chunks, and trailers, which are read and left.
 *
 *     size ─► (size_end | extension) ─► size_line_feed ─► data ─► data_end ─► data_line_feed ─► size …
 *                                            └─► trailer ─► done
 *     anything else ─► broken
 *     more chunks or trailers than an answer has ─► flood
 *
 * It goes byte by byte through what is no data and makes no texts of it: a receiver that sends chunks of one byte without
 * end costs 0.3 ms until it is left, where a text and a pattern for each line, up to the bound of an attempt, cost 32.
 */
const maxSizeDigits = 13
/** An answer of so many has 16 bytes in each on average, or is longer than what is read of one. */
const maxChunks = 4096
/** Trailers are read for their end only. */
const maxTrailerBytes = 4096

type State =
  | 'size'
  | 'size_end'
  | 'extension'
  | 'size_line_feed'
  | 'data'
  | 'data_end'
  | 'data_line_feed'
  | 'trailer'
  | 'done'
  | 'broken'
  | 'flood'

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const tab = 0x09
const semicolon = 0x3b

const fieldStart = /^[\w!#$%&'*+.^`|~-]+[ \t]*:/

export class ChunkedBody {
  #state: State = 'size'
  /** Bytes of the chunk that are to come. */
  #left = 0
  #chunks = 0
  /** Of a chunk's size, without leading zeros. */
  #digits = 0
  #hasDigits = false
  #isAfterCarriageReturn = false
  #trailerBytes = 0
  /** Of a trailer whose end has not come yet. */
  #line = ''

  /** `done`, `broken` and `flood` are final. */
  get state(): State {
    return this.#state
  }

  /**
   * Hands on what is data, at most once; returns what stands behind the end. `bytes` are the reader's own: the data of
   * several chunks is moved together in them.
   */
  push(bytes: Buffer, onData: (data: Buffer) => void): Buffer {
    let at = 0
    let dataStart = 0
    let dataEnd = 0
    while (at < bytes.length && !this.#isOver()) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left)
        if (dataEnd === dataStart) dataStart = dataEnd = at
        else bytes.copyWithin(dataEnd, at, end)
        dataEnd += end - at
        this.#left -= end - at
        if (this.#left === 0) this.#state = 'data_end'
        at = end
      } else if (this.#state === 'extension') {
        at = this.#skipExtension(bytes, at)
      } else if (this.#state === 'trailer') {
        at = this.#readTrailer(bytes, at)
      } else {
        this.#step(bytes[at] as number)
        at++
      }
    }
    if (dataEnd > dataStart) onData(bytes.subarray(dataStart, dataEnd))
    return bytes.subarray(at)
  }

  #isOver(): boolean {
    return this.#state === 'done' || this.#state === 'broken' || this.#state === 'flood'
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#readSize(byte)
        return
      case 'size_end':
        this.#endSize(byte)
        return
      case 'size_line_feed':
        this.#state = byte === lineFeed ? this.#afterSize() : 'broken'
        return
      case 'data_end':
        this.#state = byte === carriageReturn ? 'data_line_feed' : 'broken'
        return
      case 'data_line_feed':
        this.#state = byte === lineFeed ? 'size' : 'broken'
    }
  }

  #readSize(byte: number): void {
    const digit = hexValue(byte)
    if (digit === null) {
      if (this.#hasDigits) this.#endSize(byte)
      else this.#state = 'broken'
      return
    }
    this.#hasDigits = true
    if (this.#left > 0 || digit > 0) this.#digits++
    this.#left = this.#left * 16 + digit
    if (this.#digits > maxSizeDigits) this.#state = 'broken'
  }

  #endSize(byte: number): void {
    if (byte === space || byte === tab) this.#state = 'size_end'
    else if (byte === semicolon) this.#state = 'extension'
    else if (byte === carriageReturn) this.#state = 'size_line_feed'
    else this.#state = 'broken'
  }

  #afterSize(): State {
    this.#digits = 0
    this.#hasDigits = false
    this.#isAfterCarriageReturn = false
    if (this.#left === 0) return 'trailer'
    this.#chunks++
    return this.#chunks > maxChunks ? 'flood' : 'data'
  }

  /** Returns where it has read to, as `#readTrailer` does. */
  #skipExtension(bytes: Buffer, start: number): number {
    const found = bytes.indexOf(lineFeed, start)
    const last = found < 0 ? bytes.length - 1 : found - 1
    if (last >= start) this.#isAfterCarriageReturn = bytes[last] === carriageReturn
    if (found < 0) return bytes.length
    this.#state = this.#isAfterCarriageReturn ? this.#afterSize() : 'broken'
    return found + 1
  }

  /** Returns where it has read to: behind the line, or behind all that came of it. */
  #readTrailer(bytes: Buffer, start: number): number {
    const found = bytes.indexOf(lineFeed, start)
    const end = found < 0 ? bytes.length : found + 1
    this.#trailerBytes += end - start
    if (this.#trailerBytes > maxTrailerBytes) {
      this.#state = 'flood'
      return end
    }
    this.#line += bytes.toString('latin1', start, end)
    if (found < 0) return end
    const line = this.#line
    this.#line = ''
    if (line === '\r\n') this.#state = 'done'
    else if (!line.endsWith('\r\n') || !fieldStart.test(line)) this.#state = 'broken'
    return end
  }
}

/** Null: it is no digit. */
function hexValue(byte: number): number | null {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : null
}
