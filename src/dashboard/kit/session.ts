/** Who is signed in and of which tenant the pages are. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { CallOptions, SignIn } from '../../client/index.ts'
import { type Role, refusalOf } from './role.ts'

export interface Session {
  readonly signIn: SignIn
  /** Undefined: `default`, or the one that the token is for. */
  readonly tenant: string | undefined
  /** The sign-in has ended; the form is shown again. */
  readonly onSignedOut: () => void
}

export const SessionContext = createContext<Session | null>(null)

interface SessionFace extends Session {
  /** Null: the role may. */
  readonly whyNot: (needed: Role) => string | null
  /** Of a call to the server for the tenant that is chosen. */
  readonly call: CallOptions
}

export function useSession(): SessionFace {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('there is no session; show pages inside of the frame')
  return {
    ...session,
    whyNot: (needed) => refusalOf(session.signIn.role, needed),
    call: { tenant: session.tenant },
  }
}
