/**
 * Who calls. Runs before the body is read, so a stranger costs no memory.
 *
 * A key that the store knows is trusted for up to 5 s: without that each publish would first be a read of the store.
 * Revoking through this server forgets it at once; a key revoked elsewhere works for those seconds more.
 * Unknown tokens are never remembered: a key works as soon as it is made, and guesses fill no memory.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { adminRoles } from '../core/model.ts'
import type { ApiKeys, Principal } from '../engine/api-keys.ts'
import type { Deadlines } from './deadlines.ts'
import type { ApiMetrics } from './options.ts'
import type { RouteAccess } from './route-access.ts'
import { createWrongTokens } from './wrong-tokens.ts'

const maxCacheMs = 5_000
const maxCachedKeys = 10_000
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
  readonly apiKeys: Pick<ApiKeys, 'authenticate'>
  readonly adminTokens: readonly string[]
  readonly cacheMs: number
  readonly clock: Clock
  /** A store that hangs does not leave the caller hanging. */
  readonly deadlines: Deadlines
  readonly log: Logger
  readonly metrics: Pick<ApiMetrics, 'wrongToken'>
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const keys = createKeyCache(options)
  const wrongTokens = createWrongTokens(options)
  const adminDigests = options.adminTokens.map(digestOf)
  const configured: Principal = { kind: 'admin', role: 'admin', tenantId: null, keyId: null }

  const lookUp = (token: string): Principal | Promise<Principal | null> => {
    const digest = digestOf(token)
    // Every digest is compared, and each in constant time: how long it takes says nothing about any token.
    let isConfigured = false
    for (const known of adminDigests) if (timingSafeEqual(known, digest)) isConfigured = true
    return isConfigured ? configured : keys.find(digest.toString('base64'), token)
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
    if (adminDigests.some((known) => timingSafeEqual(known, digest))) return null
    const known = keys.known(digest.toString('base64'))
    if (known !== null) callers.set(socket, { ...known, header })
    return known?.principal ?? null
  }

  return {
    recognize(request, access) {
      const principal = identify(request)
      return principal !== null && refusalOf(principal, access) === null ? principal : null
    },
    forget: keys.forget,
    close: wrongTokens.close,
    require: (access) => (request, _reply, done) => {
      const token = tokenOf(request.headers.authorization)
      if (token === null) {
        options.metrics.wrongToken('missing')
        return done(missing(access))
      }
      const admit = (principal: Principal | null): void => {
        const refusal =
          principal === null
            ? wrongTokens.refuse(request.raw.socket.remoteAddress ?? '', unknownToken(access))
            : refusalOf(principal, access)
        if (refusal === null) request.principal = principal
        done(refusal ?? undefined)
      }
      const found = lookUp(token)
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

interface Caller extends KnownKey {
  readonly header: Buffer
}

interface KnownKey extends CachedKey {
  /** As many as there had been. */
  readonly revocations: number
}

interface CachedKey {
  readonly principal: Principal
  readonly until: number
}

function createKeyCache({ apiKeys, clock, cacheMs }: AuthenticatorOptions) {
  const cached = new Map<string, CachedKey>()
  const asked = new Map<string, Promise<Principal | null>>()
  const ttlMs = Math.min(Math.max(cacheMs, 0), maxCacheMs)
  // An answer that was under way when a key was revoked may be older than that: it is used but not kept.
  let revocations = 0

  const ask = (digest: string, token: string): Promise<Principal | null> => {
    const underWay = asked.get(digest)
    if (underWay !== undefined) return underWay
    const before = revocations
    const answer = apiKeys.authenticate(token).then((principal) => {
      if (principal !== null && before === revocations && ttlMs > 0) {
        if (cached.size >= maxCachedKeys) cached.clear()
        cached.set(digest, { principal, until: clock.elapsed() + ttlMs })
      }
      return principal
    })
    asked.set(digest, answer)
    const settled = (): void => void (asked.get(digest) === answer && asked.delete(digest))
    answer.then(settled, settled)
    return answer
  }

  return {
    /** Null: the store has to be asked. */
    known(digest: string): KnownKey | null {
      const entry = cached.get(digest)
      return entry !== undefined && entry.until > clock.elapsed() ? { ...entry, revocations } : null
    },
    isCurrent: (key: KnownKey): boolean => key.revocations === revocations && key.until > clock.elapsed(),
    find(digest: string, token: string): Principal | Promise<Principal | null> {
      const entry = cached.get(digest)
      return entry !== undefined && entry.until > clock.elapsed() ? entry.principal : ask(digest, token)
    },
    forget(keyId: string): void {
      revocations++
      asked.clear()
      for (const [digest, { principal }] of cached) if (principal.keyId === keyId) cached.delete(digest)
    },
  }
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
  return new OuthookError('forbidden', `this producer key has not the ability ${producer}`)
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
