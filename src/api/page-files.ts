/**
 * Static files of a page for people, which the build has packed: compressed as they are sent, and unpacked for the few
 * clients that do not take gzip.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { type SharedBytes, sendShared, shareBytes } from './shared-bytes.ts'

const unpack = promisify(gunzip)
const pack = promisify(gzip)

export interface PageFilesOptions {
  /** Inside `dist`. */
  readonly directory: string
  /** What an error calls it, such as "the dashboard". */
  readonly what: string
  /** Of each answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Completes a page before it is sent. */
  readonly fill?: (page: string) => string
}

export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Read when somebody first asks for them. */
export class PageFiles {
  readonly #options: PageFilesOptions
  readonly #directory: string
  readonly #packed = new Map<string, Promise<SharedBytes>>()
  readonly #unpacked = new Map<string, Promise<SharedBytes>>()

  constructor(options: PageFilesOptions) {
    this.#options = options
    // The same place from `src/api`, where tests run, as from `dist/api`.
    this.#directory = join(import.meta.dirname, '..', '..', 'dist', options.directory)
  }

  async send(exchange: Exchange, name: string, type: string): Promise<FastifyReply> {
    const bytes = await (takesGzip(exchange) ? this.#readPacked(name) : this.#readUnpacked(name))
    return this.#answer(exchange, bytes, type)
  }

  /** A page that names its assets by `./`, for an address so many folders further down. */
  async sendPage(exchange: Exchange, name: string, depth: number): Promise<FastifyReply> {
    const read = async () => {
      const page = (await this.#readUnpacked(name)).bytes.toString()
      const there = page.replaceAll('"./', `"./${'../'.repeat(depth)}`)
      return Buffer.from(this.#options.fill?.(there) ?? there)
    }
    const key = `${name} ${depth}`
    const bytes = await (takesGzip(exchange)
      ? this.#once(this.#packed, key, async () => pack(await read()))
      : this.#once(this.#unpacked, key, read))
    return this.#answer(exchange, bytes, 'text/html; charset=utf-8')
  }

  #answer(exchange: Exchange, bytes: SharedBytes, type: string): FastifyReply {
    const { request, reply } = exchange
    reply.type(type).headers({ ...this.#options.headers, vary: 'accept-encoding' })
    if (takesGzip(exchange)) reply.header('content-encoding', 'gzip')
    return sendShared(request, reply, bytes)
  }

  #readPacked(name: string): Promise<SharedBytes> {
    return this.#once(this.#packed, name, () => readFile(join(this.#directory, `${name}.gz`)))
  }

  #readUnpacked(name: string): Promise<SharedBytes> {
    return this.#once(this.#unpacked, name, async () => unpack((await this.#readPacked(name)).bytes))
  }

  /** However many ask at a time. A file that is not there yet is looked for again. */
  #once(
    kept: Map<string, Promise<SharedBytes>>,
    name: string,
    read: () => Promise<Buffer>,
  ): Promise<SharedBytes> {
    const known = kept.get(name)
    if (known !== undefined) return known
    const reading = read().then(shareBytes, (cause: unknown) => {
      kept.delete(name)
      throw this.#notBuilt(cause)
    })
    kept.set(name, reading)
    return reading
  }

  #notBuilt(cause: unknown): OuthookError {
    if (cause instanceof OuthookError) return cause
    return new OuthookError('not_found', `${this.#options.what} was not built; run "npm run build"`, {
      cause,
    })
  }
}

function takesGzip({ request }: Exchange): boolean {
  return /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
}
