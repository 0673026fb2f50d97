/** Who is signed in and of which tenant the pages are. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { CallOptions, SignIn } from '../../client/index.ts'
import type { PageEntry } from './page-entry.ts'
import { type Role, refusalOf, refusalOfServer } from './role.ts'

export interface Session {
  readonly signIn: SignIn
  /** Undefined: none is chosen, or the token is for one. */
  readonly tenant: string | undefined
  /** The sign-in has ended; the form is shown again. */
  readonly onSignedOut: () => void
}

export const SessionContext = createContext<Session | null>(null)

interface SessionFace extends Session {
  /** Null: the role may. */
  readonly whyNot: (needed: Role) => string | null
  /** Null: the token may see this page. */
  readonly whyNotSee: (page: Pick<PageEntry, 'needs' | 'needsAllTenants'>) => string | null
  /** Whether nothing says of which tenant the pages are: some are then of all, and the others of `default`. */
  readonly isOfAllTenants: boolean
  /** Of a call to the server for the tenant that is chosen. */
  readonly call: CallOptions
}

export function useSession(): SessionFace {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('there is no session; show pages inside of the frame')
  const whyNot = (needed: Role) => refusalOf(session.signIn.role, needed)
  return {
    ...session,
    whyNot,
    whyNotSee: ({ needs = 'viewer', needsAllTenants = false }) =>
      whyNot(needs) ?? (needsAllTenants ? refusalOfServer(session.signIn) : null),
    isOfAllTenants: session.tenant === undefined && session.signIn.tenantId === null,
    call: { tenant: session.tenant },
  }
}
