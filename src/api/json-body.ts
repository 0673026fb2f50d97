/** Bodies. Whatever the content type says, they are JSON: many clients, curl first, say nothing true about it. */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { parseExact } from '../core/exact-json.ts'
import type { Incoming, RequestBodies } from './request-bodies.ts'

/** The body arrives as JSON value; none at all as undefined. */
export function readBodiesAsJson(app: FastifyInstance, bodies: RequestBodies): void {
  app.addContentTypeParser('*', (request, payload, done) => {
    bodies.read(incoming(request, payload), (error, body) => {
      if (error !== null || body === undefined || body.length === 0) return done(error, undefined)
      try {
        done(null, parseExact(body, 'invalid_body', 'expected a JSON object'))
      } catch (problem) {
        done(problem as Error, undefined)
      }
    })
  })
}

/** The body arrives as it was sent. */
export function readBodiesAsBytes(app: FastifyInstance, bodies: RequestBodies): void {
  app.addContentTypeParser('*', (request, payload, done) => bodies.read(incoming(request, payload), done))
}

function incoming(request: FastifyRequest, payload: IncomingMessage): Incoming {
  const declared = Number(request.headers['content-length'] ?? Number.NaN)
  return { payload, limit: request.routeOptions.bodyLimit, declared }
}

/** Compressed bodies are refused: limits count what is stored and sent, and a small body may hold a large one. */
export function refuseCompressed(encoding: string | undefined): OuthookError | null {
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return null
  return new OuthookError(
    'unsupported_media_type',
    'compressed bodies are not read; send the body without Content-Encoding',
  )
}
