/** What whoever calls without the right token is told. */
import { OuthookError } from '../core/errors.ts'
import { adminRoles } from '../core/model.ts'
import type { Authenticated, EndedLink } from '../engine/authentication.ts'
import type { PortalPrincipal, Principal } from '../engine/principal.ts'
import type { RouteAccess } from './route-access.ts'

export function missing({ producer }: RouteAccess): OuthookError {
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

/** A link was right once, and whoever has it may know. */
export class EndedLinkError extends Error {
  readonly refusal: OuthookError

  constructor({ ended }: EndedLink) {
    const message = `this link to the portal ${endings[ended]}; ask whoever gave it to you for a new one`
    super(message)
    this.refusal = new OuthookError('unauthorized', message)
  }
}

const endings = { expired: 'has expired', revoked: 'has been revoked' } as const

/** Of links that have ended, told one by one alone. */
export function whole(found: Authenticated | EndedLink): Authenticated | null {
  return 'ended' in found ? null : found
}

export function notEnded(found: Authenticated | EndedLink | null): Authenticated | null {
  if (found !== null && 'ended' in found) throw new EndedLinkError(found)
  return found
}

/** By what was presented. */
export const unknown: Readonly<
  Record<'token' | 'signIn' | 'code' | 'portal', (access: RouteAccess) => OuthookError>
> = {
  token: unknownToken,
  signIn: endedSignIn,
  code: usedCode,
  portal: () =>
    new OuthookError(
      'unauthorized',
      'this link to the portal is unknown here, or has ended; ask whoever gave it to you for a new one',
    ),
}

export function usedCode(): OuthookError {
  return new OuthookError(
    'unauthorized',
    'this link has signed somebody in already, or is older than a minute; make another with "outhook dashboard"',
  )
}

function endedSignIn(): OuthookError {
  return new OuthookError('unauthorized', 'this browser is not signed in any more; sign in again')
}

export function refusalOf(principal: Principal, access: RouteAccess): OuthookError | null {
  const { role, producer } = access
  if (principal.kind === 'portal') return refusalOfLink(principal, access)
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

function refusalOfLink({ abilities }: PortalPrincipal, { role, portal }: RouteAccess): OuthookError | null {
  if (portal === undefined) {
    return insufficientRole(`requires role ${role}; this is a link to the portal, send an admin token`)
  }
  const missing = portal.filter((ability) => !abilities.includes(ability))
  if (missing.length === 0) return null
  return insufficientRole(
    `requires the ability ${missing.join(' and ')}, which this link to the portal has not`,
  )
}

function insufficientRole(message: string): OuthookError {
  return new OuthookError('forbidden', message, { title: 'insufficient role' })
}

/** Whatever keeps a key from being looked up is no verdict on the key. */
export function unverifiable(cause: unknown): OuthookError {
  const message = 'could not verify credentials; try again'
  return new OuthookError('store_unavailable', message, {
    cause,
    publicDetail: message,
    title: 'not ready',
  })
}
