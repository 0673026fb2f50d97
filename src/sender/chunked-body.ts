/**
 * The chunked coding of RFC 9112, 7.1: sizes in hex, chunks, and trailers, which are read and left.
 *
 *     size ─► data ─► data_end ─► size … ─► trailer ─► done
 *       └───────────── anything else ─► broken
 */
const maxSizeDigits = 13

type State = 'size' | 'data' | 'data_end' | 'trailer' | 'done' | 'broken'

const fieldStart = /^[\w!#$%&'*+.^`|~-]+[ \t]*:/

export class ChunkedBody {
  #state: State = 'size'
  /** Bytes of the chunk that are to come. */
  #left = 0
  /** Of a line whose end has not come yet. */
  #line = ''

  /** `done` and `broken` are final. */
  get state(): State {
    return this.#state
  }

  /** Hands on what is data; returns what stands behind the end. */
  push(bytes: Buffer, onData: (data: Buffer) => void): Buffer {
    let at = 0
    while (at < bytes.length && this.#state !== 'done' && this.#state !== 'broken') {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left)
        onData(bytes.subarray(at, end))
        this.#left -= end - at
        if (this.#left === 0) this.#state = 'data_end'
        at = end
        continue
      }
      const lineFeed = bytes.indexOf(0x0a, at)
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1
      this.#line += bytes.toString('latin1', at, end)
      at = end
      if (lineFeed >= 0) this.#readLine()
    }
    return bytes.subarray(at)
  }

  #readLine(): void {
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) this.#state = 'broken'
    else if (this.#state === 'size') this.#readSize(line)
    else if (this.#state === 'data_end') this.#state = line === '\r\n' ? 'size' : 'broken'
    else if (line === '\r\n') this.#state = 'done'
    else if (!fieldStart.test(line)) this.#state = 'broken'
  }

  #readSize(line: string): void {
    const digits = /^([\da-f]+)[ \t]*(?:;[^\n]*)?\r\n$/i.exec(line)?.[1]?.replace(/^0+(?=.)/, '')
    if (digits === undefined || digits.length > maxSizeDigits) {
      this.#state = 'broken'
      return
    }
    this.#left = Number.parseInt(digits, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'data'
  }
}
