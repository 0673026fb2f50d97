/** The cookie of a browser that is signed in, and what its requests have to carry besides. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { signInLifeMs } from '../engine/sign-ins.ts'

const cookieName = 'outhook_sign_in'
const csrfHeader = 'x-csrf-token'
/** They change nothing. */
const safeMethods = ['GET', 'HEAD']

/** Null: no such cookie, or one that no server has made. */
export function signInTextOf(cookies: string | undefined): string | null {
  return /(?:^|;\s*)outhook_sign_in=(hksin_[0-9a-f]{64})(?:;|$)/.exec(cookies ?? '')?.[1] ?? null
}

/**
 * It has no path: the browser sends it to what stands beside this request, the API, below whatever prefix a proxy puts
 * before it. `text` null: the browser forgets it.
 */
export function signInCookie(request: FastifyRequest, text: string | null): string {
  const life = text === null ? 0 : signInLifeMs / 1000
  const secure = isSecure(request) ? '; Secure' : ''
  return `${cookieName}=${text ?? ''}; Max-Age=${life}; HttpOnly; SameSite=Strict${secure}`
}

/** TLS ends at a proxy: that one says so, or the browser, in the address of the page that asks. */
export function isSecure({ headers }: FastifyRequest): boolean {
  const [protocol = ''] = String(headers['x-forwarded-proto'] ?? '').split(',')
  const [nearest = ''] = (headers.forwarded ?? '').split(',')
  const saysSo = protocol.trim() === 'https' || /(?:^|;)\s*proto="?https"?\s*(?:;|$)/i.test(nearest)
  return saysSo || (headers.origin ?? '').startsWith('https:')
}

/** The page learns it by asking, which no page of others can do. */
export function csrfTokenOf(text: string): string {
  return createHmac('sha256', text).update('csrf').digest('hex')
}

/** Null: nothing is to be refused. */
export function refusalOfForgery({ method, headers }: FastifyRequest, text: string): OuthookError | null {
  if (safeMethods.includes(method)) return null
  const given = Buffer.from(String(headers[csrfHeader] ?? ''))
  const wanted = Buffer.from(csrfTokenOf(text))
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return null
  return new OuthookError(
    'forbidden',
    'the request comes with the cookie of a browser and changes something; send csrf_token of GET /v1/sign-in as X-CSRF-Token',
    { title: 'not permitted' },
  )
}
