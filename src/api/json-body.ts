/** Bodies. Whatever the content type says, they are JSON: many clients, curl first, say nothing true about it. */
import type { FastifyInstance } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { parseExact } from '../core/exact-json.ts'

/** The body arrives as JSON value; none at all as undefined. */
export function readBodiesAsJson(app: FastifyInstance): void {
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    try {
      done(null, parseExact(body, 'invalid_body', 'expected a JSON object'))
    } catch (error) {
      done(error as Error, undefined)
    }
  })
}

/** The body arrives as it was sent. */
export function readBodiesAsBytes(app: FastifyInstance): void {
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** Compressed bodies are refused: limits count what is stored and sent, and a small body may hold a large one. */
export function refuseCompressed(encoding: string | undefined): OuthookError | null {
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return null
  return new OuthookError(
    'unsupported_media_type',
    'compressed bodies are not read; send the body without Content-Encoding',
  )
}
