/**
 * Answers that are the same for everybody: their bytes are in memory once, however many clients have yet to take them,
 * and a client that has them already is told so.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

export interface SharedBytes {
  readonly bytes: Buffer
  readonly etag: string
}

export function shareBytes(bytes: Buffer): SharedBytes {
  // A buffer of the pool would keep the whole pool.
  const own = bytes.buffer.byteLength === bytes.length ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return { bytes: own, etag: `"${hash}"` }
}

/** Clients ask each time, and get the bytes once for each version of them. */
export function sendShared(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, etag }: SharedBytes,
): FastifyReply {
  reply.headers({ 'cache-control': 'no-cache', etag })
  return isKnown(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(bytes)
}

/** As RFC 9110 compares: weakly, any of a list, or `*`. */
function isKnown(known: string | undefined, etag: string): boolean {
  if (known === undefined) return false
  return known.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()))
}
