/**
 * The page at /docs: static files that the build has made (`scripts/bundle.mjs`), compressed as they are sent. Nothing
 * on it comes from elsewhere.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'

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
export function docsPage(version: string): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    const schema = { hide: true }
    app.get('/docs', { schema }, (request, reply) =>
      sendFile({ request, reply }, { name: 'index.html', type: 'text/html; charset=utf-8', tag: version }),
    )
    app.get('/docs/', { schema }, (_request, reply) => reply.redirect('../docs', 308))
    for (const [name, type] of Object.entries(assets)) {
      app.get(`/docs/static/${name}`, { schema }, (request, reply) =>
        sendFile({ request, reply }, { name, type, tag: version }),
      )
    }
  }
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

interface PageFile {
  readonly name: string
  readonly type: string
  readonly tag: string
}

async function sendFile({ request, reply }: Exchange, { name, type, tag }: PageFile): Promise<FastifyReply> {
  // A browser asks each time and gets the file once for each version.
  const etag = `"${tag}"`
  reply.headers({
    'cache-control': 'no-cache',
    'content-security-policy': pagePolicy,
    etag,
    vary: 'accept-encoding',
  })
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  const file = join(directory, `${name}.gz`)
  const { size } = await stat(file).catch((cause) => {
    throw new OuthookError('not_found', 'the API page was not built; run "npm run build"', { cause })
  })
  reply.type(type)
  const stream = createReadStream(file)
  if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    return reply.headers({ 'content-encoding': 'gzip', 'content-length': size }).send(stream)
  }
  return reply.send(stream.on('error', (error) => reply.raw.destroy(error)).pipe(createGunzip()))
}
