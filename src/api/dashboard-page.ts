/**
 * The dashboard at /dashboard/: static files that the build has made (`scripts/dashboard.mjs`), compressed as they are
 * sent. Addresses are relative to the request's, so that it works below a path prefix that a proxy takes away. Whatever
 * lies below /dashboard/ and is no asset is answered with the page, which knows its own addresses.
 */
import { readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { type Exchange, PageFiles } from './page-files.ts'

/** The same place from `src/api`, where tests run, as from `dist/api`. */
const assets = join(import.meta.dirname, '..', '..', 'dist', 'dashboard', 'assets')

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
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** No page lies deeper, and each depth is kept in memory. */
const maxDepth = 6

/** The names of assets change with what is in them. */
const forEver = 'public, max-age=31536000, immutable'

/** The routes of the page. They are no part of the OpenAPI document. */
export async function dashboardPage(app: FastifyInstance): Promise<void> {
  const schema = { hide: true }
  const files = new PageFiles({ directory: 'dashboard', what: 'the dashboard', headers: pageHeaders })
  const send = (exchange: Exchange, name: string): Promise<FastifyReply> =>
    files.send(exchange, name, types[extname(name)] ?? 'application/octet-stream')
  app.get('/dashboard', { schema }, (_request, reply) => reply.redirect('dashboard/', 308))
  app.get('/dashboard/', { schema }, (request, reply) => files.sendPage({ request, reply }, 'index.html', 0))
  app.get('/dashboard/*', { schema }, (request, reply) => {
    // As the browser reads it, for which a slash in an escape is none.
    const depth = (request.url.split('?')[0] ?? '').split('/').length - 3
    if (depth > maxDepth) throw new OuthookError('not_found', 'no such page; go to /dashboard/')
    return files.sendPage({ request, reply }, 'index.html', depth)
  })
  app.get('/dashboard/assets/:name', { schema, onSend: keepForEver }, (request, reply) => {
    const { name } = request.params as { readonly name: string }
    if (!listAssets().includes(`${name}.gz`)) {
      throw new OuthookError('not_found', 'no such file; load the page /dashboard/ again')
    }
    return send({ request, reply }, join('assets', name))
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
    return readdirSync(assets)
  } catch {
    return []
  }
}
