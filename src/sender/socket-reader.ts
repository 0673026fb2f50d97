/** Reads the beginning of a connection piece by piece, and leaves the rest of it to whoever comes next. */
import type { Socket } from 'node:net'

export class SocketReader {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Exactly that many bytes. Rejects when the connection ends before. */
  readExactly(size: number): Promise<Buffer> {
    return this.#until(() => {
      const bytes = this.#socket.read(size) as Buffer | null
      // When the other side has ended, `read` gives what is left.
      if (bytes !== null && bytes.length < size) throw ended('ECONNRESET')
      return bytes
    })
  }

  /** Everything up to and with an empty line. Rejects when that is longer than `maxBytes`. */
  readHead(maxBytes: number): Promise<string> {
    let head: Buffer = Buffer.alloc(0)
    return this.#until(() => {
      const chunk = this.#socket.read() as Buffer | null
      if (chunk === null) return null
      head = Buffer.concat([head, chunk])
      const text = head.toString('latin1')
      // RFC 9112, 2.2: a line may end with a line feed alone.
      const match = /\n\r?\n/.exec(text)
      if (match === null && head.length <= maxBytes) return null
      if (match === null) throw ended('ERR_HEAD_TOO_LONG')
      const end = match.index + match[0].length
      if (end < head.length) this.#socket.unshift(head.subarray(end))
      return text.slice(0, end)
    })
  }

  #until<T>(take: () => T | null): Promise<T> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        socket.off('readable', look).off('error', fail).off('end', end).off('close', end)
        act()
      }
      const fail = (error: Error) => settle(() => reject(error))
      const end = () => fail(ended('ECONNRESET'))
      const look = () => {
        try {
          const taken = take()
          if (taken !== null) settle(() => resolve(taken))
        } catch (error) {
          fail(error as Error)
        }
      }
      socket.on('readable', look).on('error', fail).on('end', end).on('close', end)
      if (socket.destroyed) end()
      else look()
    })
  }
}

function ended(code: string): Error {
  return Object.assign(new Error('the proxy ended the connection'), { code })
}
