/** Who calls. Runs before the body is read, so a stranger costs no memory. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { portalTokenPrefix } from '../core/portal.ts'
import type { Authenticated, Authentication, EndedLink } from '../engine/authentication.ts'
import { breakGlass, type Principal } from '../engine/principal.ts'
import { isSignInCode, type SignIns } from '../engine/sign-ins.ts'
import type { Deadlines } from './deadlines.ts'
import { KeyCache, type KnownKey } from './key-cache.ts'
import type { ApiMetrics } from './options.ts'
import type { RouteAccess } from './route-access.ts'
import { refusalOfForgery, signInTextOf } from './sign-in-cookie.ts'
import { SlowLookUps } from './slow-look-ups.ts'
import {
  EndedLinkError,
  missing,
  notEnded,
  refusalOf,
  unknown,
  unverifiable,
  usedCode,
  whole,
} from './token-refusals.ts'
import { WatchedCallers } from './watched-callers.ts'
import { createWrongTokens } from './wrong-tokens.ts'

const bearer = 'Bearer '

export interface Authenticator {
  /** A hook for `onRequest`. */
  require(
    access: RouteAccess,
  ): (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void
  /** Who calls, when that is known without asking the store and the access is theirs; else null. */
  recognize(request: IncomingMessage, access: RouteAccess): Principal | null
  /**
   * Calls back when whoever sent the request, which was let in, may not have its answer any more: the token or the sign-in
   * was revoked, has ended or is another's. The returned function ends the watch.
   */
  watch(request: FastifyRequest, access: RouteAccess, onEnd: () => void): () => void
  /** Logs what was not told yet. */
  close(): void
  /** Makes the next use of the key ask the store. */
  forget(keyId: string): void
  /** Exchanges the token, or the code, of a request that was let in for what its browser keeps. */
  signIn(request: FastifyRequest): ReturnType<SignIns['create']>
  /** Makes a code of the token of a request that was let in. */
  createSignInCode(request: FastifyRequest): ReturnType<SignIns['createCode']>
  /** From now on the text is nobody's. */
  endSignIn(text: string): Promise<void>
}

export interface AuthenticatorOptions {
  readonly authentication: Pick<Authentication, 'authenticate' | 'authenticatePortal'>
  readonly signIns: Pick<SignIns, 'authenticate' | 'create' | 'createCode' | 'end' | 'exchange'>
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
  const adminDigests = options.adminTokens.map(digestOf)
  const lookUps: Readonly<Record<Presented['kind'], (texts: readonly string[]) => Promise<Found>>> = {
    token: (texts) => authentication.authenticate(texts),
    signIn: (texts) => options.signIns.authenticate(texts, adminDigests),
    code: (texts) => options.signIns.authenticate(texts, adminDigests),
    portal: (texts) => authentication.authenticatePortal(texts),
  }
  const lookUpSlowly = (kind: Presented['kind']) =>
    new SlowLookUps({
      ...options,
      authenticate: async (texts) => (await lookUps[kind](texts)).map((found) => found && whole(found)),
    })
  const slowLookUps = {
    token: lookUpSlowly('token'),
    signIn: lookUpSlowly('signIn'),
    code: lookUpSlowly('code'),
    portal: lookUpSlowly('portal'),
  }

  const watched = new WatchedCallers({
    clock: options.clock,
    lookUp: async (kind, texts) => (await lookUps[kind](texts)).map((found) => found && whole(found)),
  })

  /** Every digest is compared, and each in constant time: how long it takes says nothing about any token. */
  const isConfigured = (digest: Buffer): boolean => {
    let found = false
    for (const known of adminDigests) if (timingSafeEqual(known, digest)) found = true
    return found
  }

  const lookUp = ({
    kind,
    text,
    digest,
    address,
  }: Presented): Principal | Promise<Principal | null> | null => {
    const known = keys.known(digest)
    if (known !== null) return known.principal
    if (!wrongTokens.isSlowed(address)) {
      return keys.find(digest, async () => notEnded((await lookUps[kind]([text]))[0] ?? null))
    }
    if (wrongTokens.isKnown(digest)) return null
    return keys.find(digest, () => slowLookUps[kind].find(text))
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
    watch(request, access, onEnd) {
      const presented = presentedBy(request)
      const { tenantId } = principalOf(request)
      if (presented === null || presented.kind === 'code') return () => undefined
      const { kind, text, bytes } = presented
      // One of the configuration is good for as long as the process.
      if (kind !== 'signIn' && isConfigured(bytes)) return () => undefined
      const admits = (principal: Principal): boolean =>
        principal.tenantId === tenantId && refusalOf(principal, access) === null
      return watched.watch({ kind, text, admits, onEnd })
    },
    forget(keyId) {
      keys.forget(keyId)
      watched.lookNow()
      wrongTokens.forgetTokens()
    },
    async signIn({ headers }) {
      const text = tokenOf(headers.authorization) ?? ''
      if (!isSignInCode(text)) return options.signIns.create(text, adminDigests)
      const made = await options.signIns.exchange(text, adminDigests)
      if (made === null) throw usedCode()
      return made
    },
    createSignInCode: ({ headers }) =>
      options.signIns.createCode(tokenOf(headers.authorization) ?? '', adminDigests),
    async endSignIn(text) {
      await options.signIns.end(text)
      keys.forgetDigest(digestAs('signIn', text).toString('base64'))
      watched.lookNow()
    },
    close() {
      watched.close()
      wrongTokens.close()
    },
    require: (access) => (request, _reply, done) => {
      const presented = presentedBy(request)
      if (presented === null) {
        options.metrics.wrongToken('missing')
        return done(missing(access))
      }
      const { kind, text, bytes } = presented
      const admit = (principal: Principal | null): void => {
        const refusal =
          principal === null
            ? wrongTokens.refuse(presented, unknown[kind](access))
            : (refusalOf(principal, access) ?? (kind === 'signIn' ? refusalOfForgery(request, text) : null))
        if (refusal === null) {
          request.principal = principal
          if (kind === 'signIn') request.signInText = text
        }
        done(refusal ?? undefined)
      }
      const found = kind !== 'signIn' && isConfigured(bytes) ? breakGlass : lookUp(presented)
      if (!(found instanceof Promise)) return admit(found)
      let answered = false
      const once = (act: () => void): void => {
        if (!answered) act()
        answered = true
      }
      const unwatch = options.deadlines.watch(() => once(() => done(unverifiable(undefined))))
      found.finally(unwatch).then(
        (principal) => once(() => admit(principal)),
        (error: unknown) =>
          once(() =>
            done(
              error instanceof EndedLinkError
                ? wrongTokens.refuse(presented, error.refusal)
                : unverifiable(error),
            ),
          ),
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
  /**
   * A sign-in is what a browser presents that a token has been exchanged for, and a code is good for that exchange alone;
   * a link's token leads to the portal.
   */
  readonly kind: 'token' | 'signIn' | 'code' | 'portal'
  readonly text: string
  readonly bytes: Buffer
  readonly digest: string
  readonly address: string
}

type Found = readonly (Authenticated | EndedLink | null)[]

/** Null: nothing. A token goes before a cookie, which browsers send without being asked. */
function presentedBy(request: FastifyRequest): Presented | null {
  const { headers, raw } = request
  const token = tokenOf(headers.authorization)
  const text = token ?? (headers.authorization === undefined ? signInTextOf(headers.cookie) : null)
  if (text === null) return null
  const kind = token === null ? 'signIn' : kindOf(token, request)
  const bytes = digestAs(kind, text)
  const address = raw.socket.remoteAddress ?? ''
  return { kind, text, bytes, digest: bytes.toString('base64'), address }
}

/** Where a text is good for one thing alone, what is remembered of it is not found by what presents it as another. */
function digestAs(kind: Presented['kind'], text: string): Buffer {
  return digestOf(kind === 'signIn' || kind === 'code' ? `${kind} ${text}` : text)
}

function kindOf(token: string, { method, routeOptions }: FastifyRequest): Presented['kind'] {
  if (token.startsWith(portalTokenPrefix)) return 'portal'
  const isExchange = method === 'PUT' && routeOptions.url === '/v1/sign-in'
  return isExchange && isSignInCode(token) ? 'code' : 'token'
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
