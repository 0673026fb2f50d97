/**
 * Pages for a browser: static files that the build has made (`scripts/dashboard.mjs`), compressed as they are sent.
 * Addresses are relative to the request's, so that they work below a path prefix that a proxy takes away. Whatever lies
 * below `/<name>/` and is no asset is answered with the page, which knows its own addresses.
 */
import { readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { PageFiles } from './page-files.ts'

/** The same place from `src/api`, where tests run, as from `dist/api`. */
const assets = join(import.meta.dirname, '..', '..', 'dist', 'dashboard', 'assets')

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** No page lies deeper, and each depth is kept in memory. */
const maxDepth = 6

/** The names of assets change with what is in them. */
const forEver = 'public, max-age=31536000, immutable'

/** A policy of content security that lets nothing in from elsewhere, and nothing that stands inline. */
export function policyOf({
  images,
  ancestors,
}: {
  readonly images: string
  readonly ancestors: string
}): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${images}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ].join('; ')
}

export interface WebPages {
  /** The first part of the path. */
  readonly name: 'dashboard' | 'portal'
  readonly file: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the page alone. */
  readonly fill?: (page: string) => string
}

/** The routes of the page. They are no part of the OpenAPI document. */
export function serveWebPages(app: FastifyInstance, { name, file, headers, fill }: WebPages): void {
  const schema = { hide: true }
  const files = new PageFiles({ directory: 'dashboard', what: `the ${name}`, headers, ...(fill && { fill }) })
  app.get(`/${name}`, { schema }, (_request, reply) => reply.redirect(`${name}/`, 308))
  app.get(`/${name}/`, { schema }, (request, reply) => files.sendPage({ request, reply }, file, 0))
  app.get(`/${name}/*`, { schema }, (request, reply) => {
    // As the browser reads it, for which a slash in an escape is none.
    const depth = (request.url.split('?')[0] ?? '').split('/').length - 3
    if (depth > maxDepth) throw new OuthookError('not_found', `no such page; go to /${name}/`)
    return files.sendPage({ request, reply }, file, depth)
  })
  app.get(`/${name}/assets/:name`, { schema, onSend: keepForEver }, (request, reply) => {
    const { name: asset } = request.params as { readonly name: string }
    if (!listAssets().includes(`${asset}.gz`)) {
      throw new OuthookError('not_found', `no such file; load the page /${name}/ again`)
    }
    const type = types[extname(asset)] ?? 'application/octet-stream'
    return files.send({ request, reply }, join('assets', asset), type)
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
