/**
 * The page at /docs: static files that the build has made (`scripts/bundle.mjs`), compressed as they are sent. Nothing
 * on it comes from elsewhere.
 */
import type { FastifyInstance } from 'fastify'
import { PageFiles } from './page-files.ts'

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
  const files = new PageFiles({
    directory: 'api-page',
    what: 'the API page',
    headers: { 'content-security-policy': pagePolicy },
  })
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
