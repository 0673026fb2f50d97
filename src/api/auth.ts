/** Who calls. Runs before the body is read, so a stranger costs no memory. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { adminRoles } from '../core/model.ts'
import type { Authentication } from '../engine/authentication.ts'
import { breakGlass, type Principal } from '../engine/principal.ts'
import type { Deadlines } from './deadlines.ts'
import { KeyCache, type KnownKey } from './key-cache.ts'
import type { ApiMetrics } from './options.ts'
import type { RouteAccess } from './route-access.ts'
import { SlowLookUps } from './slow-look-ups.ts'
import { createWrongTokens } from './wrong-tokens.ts'

const bearer = 'Bearer '

export interface Authenticator {
  /** A hook for `onRequest`. */
  require(
    access: RouteAccess,
  ): (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void
  /** Who calls, when that is known without asking the store and the access is theirs; else null. */
  recognize(request: IncomingMessage, access: RouteAccess): Principal | null
  /** Logs what was not told yet. */
  close(): void
  /** Makes the next use of the key ask the store. */
  forget(keyId: string): void
}

export interface AuthenticatorOptions {
  readonly authentication: Pick<Authentication, 'authenticate'>
  readonly adminTokens: readonly string[]
  readonly cacheMs: number
  readonly clock: Clock
  /** A store that hangs does not leave the caller hanging. */
  readonly deadlines: Deadlines
  readonly log: Logger
  readonly metrics: Pick<ApiMetrics, 'wrongToken'>
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { authentication } = options
  const keys = new KeyCache(options)
  const wrongTokens = createWrongTokens(options)
  const slowLookUps = new SlowLookUps(options)
  const adminDigests = options.adminTokens.map(digestOf)

  /** Every digest is compared, and each in constant time: how long it takes says nothing about any token. */
  const isConfigured = (digest: Buffer): boolean => {
    let found = false
    for (const known of adminDigests) if (timingSafeEqual(known, digest)) found = true
    return found
  }

  const lookUp = ({ token, digest, address }: Presented): Principal | Promise<Principal | null> | null => {
    const known = keys.known(digest)
    if (known !== null) return known.principal
    if (!wrongTokens.isSlowed(address)) {
      return keys.find(digest, async () => (await authentication.authenticate([token]))[0] ?? null)
    }
    if (wrongTokens.isKnown(digest)) return null
    return keys.find(digest, () => slowLookUps.find(token))
  }

  /** The last caller on a connection: the same header on it says the same, and costs no digest. */
  const callers = new WeakMap<Socket, Caller>()
  const identify = ({ headers, socket }: IncomingMessage): Principal | null => {
    const { authorization } = headers
    const token = tokenOf(authorization)
    if (authorization === undefined || token === null) return null
    const header = Buffer.from(authorization, 'latin1')
    const caller = callers.get(socket)
    if (
      caller !== undefined &&
      caller.header.length === header.length &&
      timingSafeEqual(caller.header, header) &&
      keys.isCurrent(caller)
    ) {
      return caller.principal
    }
    const digest = digestOf(token)
    if (isConfigured(digest)) return null
    const known = keys.known(digest.toString('base64'))
    if (known !== null) callers.set(socket, { ...known, header })
    return known?.principal ?? null
  }

  return {
    recognize(request, access) {
      const principal = identify(request)
      return principal !== null && refusalOf(principal, access) === null ? principal : null
    },
    forget(keyId) {
      keys.forget(keyId)
      wrongTokens.forgetTokens()
    },
    close: wrongTokens.close,
    require: (access) => (request, _reply, done) => {
      const token = tokenOf(request.headers.authorization)
      if (token === null) {
        options.metrics.wrongToken('missing')
        return done(missing(access))
      }
      const bytes = digestOf(token)
      const digest = bytes.toString('base64')
      const address = request.raw.socket.remoteAddress ?? ''
      const admit = (principal: Principal | null): void => {
        const refusal =
          principal === null
            ? wrongTokens.refuse({ address, digest }, unknownToken(access))
            : refusalOf(principal, access)
        if (refusal === null) request.principal = principal
        done(refusal ?? undefined)
      }
      const found = isConfigured(bytes) ? breakGlass : lookUp({ token, digest, address })
      if (!(found instanceof Promise)) return admit(found)
      let answered = false
      const once = (act: () => void): void => {
        if (!answered) act()
        answered = true
      }
      const unwatch = options.deadlines.watch(() => once(() => done(unverifiable(undefined))))
      found.finally(unwatch).then(
        (principal) => once(() => admit(principal)),
        (error: unknown) => once(() => done(unverifiable(error))),
      )
    },
  }
}

/** Who calls, on a route behind `require`. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) {
    throw new OuthookError(
      'internal',
      `${request.routeOptions.url} has a handler that wants credentials but no check`,
    )
  }
  return request.principal
}

interface Presented {
  readonly token: string
  readonly digest: string
  readonly address: string
}

interface Caller extends KnownKey {
  readonly header: Buffer
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

/** The scheme is matched as written, `Bearer `, as producers' clients send it. */
function tokenOf(header: string | undefined): string | null {
  if (header === undefined || !header.startsWith(bearer) || header.length === bearer.length) return null
  return header.slice(bearer.length)
}

function missing({ producer }: RouteAccess): OuthookError {
  const wanted = producer === undefined ? 'admin token' : 'producer key'
  return new OuthookError('missing_credentials', `Authorization: Bearer <${wanted}> required`)
}

function unknownToken({ producer }: RouteAccess): OuthookError {
  return producer === undefined
    ? new OuthookError(
        'unauthorized',
        'unknown or revoked token; Authorization: Bearer <admin token> required',
      )
    : new OuthookError('unauthorized', 'unknown or revoked producer key')
}

function refusalOf(principal: Principal, { role, producer }: RouteAccess): OuthookError | null {
  if (principal.kind === 'admin') {
    if (adminRoles.indexOf(principal.role) >= adminRoles.indexOf(role)) return null
    return insufficientRole(`requires role ${role}; this token has role ${principal.role}`)
  }
  if (producer === undefined) {
    return insufficientRole(`requires role ${role}; this is a producer key, send an admin token`)
  }
  if (producer === 'any' || principal.abilities.includes(producer)) return null
  return insufficientRole(
    `requires the ability ${producer}, which this producer key has not; use one that has, or send an admin token of role ${role}`,
  )
}

function insufficientRole(message: string): OuthookError {
  return new OuthookError('forbidden', message, { title: 'insufficient role' })
}

/** Whatever keeps a key from being looked up is no verdict on the key. */
function unverifiable(cause: unknown): OuthookError {
  const message = 'could not verify credentials; try again'
  return new OuthookError('store_unavailable', message, {
    cause,
    publicDetail: message,
    title: 'not ready',
  })
}
