/**
 * The page at /docs: static files that the build has made (`scripts/bundle.mjs`), compressed as they are sent. Nothing
 * on it comes from elsewhere.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { type SharedBytes, sendShared, shareBytes } from './shared-bytes.ts'

const unpack = promisify(gunzip)

/** The same place from `src/api`, where tests run, as from `dist/api`. */
const directory = join(import.meta.dirname, '..', '..', 'dist', 'api-page')

/**
 * Everything from this server alone, also over plain HTTP on a host of a private network: no
 * `upgrade-insecure-requests`, which would send the page's own files to a port that speaks no TLS.
 */
const pagePolicy = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
].join('; ')

const assets: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'start.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'index.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

/** The routes of the page. They are no part of the OpenAPI document. */
export async function docsPage(app: FastifyInstance): Promise<void> {
  const schema = { hide: true }
  const files = new PageFiles()
  app.get('/docs', { schema }, (request, reply) =>
    files.send({ request, reply }, 'index.html', 'text/html; charset=utf-8'),
  )
  app.get('/docs/', { schema }, (_request, reply) => reply.redirect('../docs', 308))
  for (const [name, type] of Object.entries(assets)) {
    app.get(`/docs/static/${name}`, { schema }, (request, reply) =>
      files.send({ request, reply }, name, type),
    )
  }
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Read when somebody first asks for them. Unpacked they take 2 MB, for the few clients that do not take gzip. */
class PageFiles {
  readonly #packed = new Map<string, Promise<SharedBytes>>()
  readonly #unpacked = new Map<string, Promise<SharedBytes>>()

  async send({ request, reply }: Exchange, name: string, type: string): Promise<FastifyReply> {
    const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    const bytes = await (takesGzip ? this.#readPacked(name) : this.#readUnpacked(name))
    reply.type(type).headers({ 'content-security-policy': pagePolicy, vary: 'accept-encoding' })
    if (takesGzip) reply.header('content-encoding', 'gzip')
    return sendShared(request, reply, bytes)
  }

  #readPacked(name: string): Promise<SharedBytes> {
    return once(this.#packed, name, () => readFile(join(directory, `${name}.gz`)))
  }

  #readUnpacked(name: string): Promise<SharedBytes> {
    return once(this.#unpacked, name, async () => unpack((await this.#readPacked(name)).bytes))
  }
}

/** However many ask at a time. A file that is not there yet is looked for again. */
function once(
  kept: Map<string, Promise<SharedBytes>>,
  name: string,
  read: () => Promise<Buffer>,
): Promise<SharedBytes> {
  const known = kept.get(name)
  if (known !== undefined) return known
  const reading = read().then(shareBytes, (cause) => {
    kept.delete(name)
    throw notBuilt(cause)
  })
  kept.set(name, reading)
  return reading
}

function notBuilt(cause: unknown): OuthookError {
  if (cause instanceof OuthookError) return cause
  return new OuthookError('not_found', 'the API page was not built; run "npm run build"', { cause })
}
