/** The dashboard at /dashboard/. */
import type { FastifyInstance } from 'fastify'
import { policyOf, serveWebPages } from './web-pages.ts'

const headers = {
  'content-security-policy': policyOf({ images: "'self'", ancestors: "'none'" }),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

export async function dashboardPage(app: FastifyInstance): Promise<void> {
  serveWebPages(app, { name: 'dashboard', file: 'index.html', headers })
}
