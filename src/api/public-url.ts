/**
 * The address of this server as a browser knows it, where no setting says it: from the `Host` that the request was sent
 * to, which a proxy has to pass on. Whoever could choose that header chooses the address of the link that they get
 * themselves, and nothing else; a path prefix that a proxy takes away is not known.
 */
import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { isSecure } from './sign-in-cookie.ts'

const plainHost = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

export function publicUrlOf(request: FastifyRequest, setting: string | null): string {
  if (setting !== null) return setting
  const { host = '' } = request.headers
  if (host.length <= 255 && plainHost.test(host)) return `${isSecure(request) ? 'https' : 'http'}://${host}`
  throw new OuthookError(
    'invalid_request',
    'the Host header names no host, so nothing says where the portal is; start the server with --public-url',
  )
}
