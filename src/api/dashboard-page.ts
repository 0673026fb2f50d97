/**
 * The dashboard at /dashboard/: static files that the build has made (`scripts/dashboard.mjs`), compressed as they are
 * sent. Addresses are relative to the request's, so that it works below a path prefix that a proxy takes away.
 */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { type SharedBytes, sendShared, shareBytes } from './shared-bytes.ts'

const unpack = promisify(gunzip)

/** The same place from `src/api`, where tests run, as from `dist/api`. */
const directory = join(import.meta.dirname, '..', '..', 'dist', 'dashboard')

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const pageHeaders = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  vary: 'accept-encoding',
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The names of assets change with what is in them. */
const forEver = 'public, max-age=31536000, immutable'

/** The routes of the page. They are no part of the OpenAPI document. */
export async function dashboardPage(app: FastifyInstance): Promise<void> {
  const schema = { hide: true }
  const files = new Map<string, Promise<SharedBytes>>()
  const send = async (name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    const shared = await once(files, takesGzip ? `${name}.gz` : name, () => read(name, takesGzip))
    reply.type(types[extname(name)] ?? 'application/octet-stream').headers(pageHeaders)
    if (takesGzip) reply.header('content-encoding', 'gzip')
    return sendShared(request, reply, shared)
  }
  app.get('/dashboard', { schema }, (_request, reply) => reply.redirect('dashboard/', 308))
  app.get('/dashboard/', { schema }, (request, reply) => send('index.html', request, reply))
  app.get('/dashboard/assets/:name', { schema, onSend: keepForEver }, (request, reply) => {
    const { name } = request.params as { readonly name: string }
    if (!listAssets().includes(`${name}.gz`)) {
      throw new OuthookError('not_found', 'no such file; load the page /dashboard/ again')
    }
    return send(join('assets', name), request, reply)
  })
}

function keepForEver(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  if (reply.statusCode < 400) reply.header('cache-control', forEver)
  done(null, payload)
}

/** A name from outside is never made a path: it has to be one of these. */
function listAssets(): readonly string[] {
  try {
    return readdirSync(join(directory, 'assets'))
  } catch {
    return []
  }
}

async function read(name: string, asPacked: boolean): Promise<Buffer> {
  const packed = await readFile(join(directory, `${name}.gz`))
  return asPacked ? packed : unpack(packed)
}

/** However many ask at a time. A file that is not there yet is looked for again. */
function once(
  kept: Map<string, Promise<SharedBytes>>,
  name: string,
  read: () => Promise<Buffer>,
): Promise<SharedBytes> {
  const known = kept.get(name)
  if (known !== undefined) return known
  const reading = read().then(shareBytes, (cause: unknown) => {
    kept.delete(name)
    throw new OuthookError('not_found', 'the dashboard was not built; run "npm run build"', { cause })
  })
  kept.set(name, reading)
  return reading
}
