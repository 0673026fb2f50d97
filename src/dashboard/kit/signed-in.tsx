/** The dashboard of somebody who is signed in. */
import type { SignIn } from '../../client/index.ts'
import { useUrlState } from './address.ts'
import { Frame } from './frame.tsx'
import { PageOutlet } from './page-outlet.tsx'
import { Results } from './results.tsx'
import { SessionContext } from './session.ts'
import { text } from './url-values.ts'

interface SignedInProps {
  readonly signIn: SignIn
  readonly onEnd: (why: string | null) => void
}

export function SignedIn({ signIn, onEnd }: SignedInProps) {
  const [{ tenant }] = useUrlState({ tenant: text })
  const session = {
    signIn,
    // A token of one tenant is for that, whatever an address says that somebody shared.
    tenant: signIn.tenantId === null && tenant !== '' ? tenant : undefined,
    onSignedOut: () => onEnd('You are not signed in any more: 12 hours are over, or the token is.'),
  }
  return (
    <SessionContext.Provider value={session}>
      <Results>
        <Frame onSignOut={() => onEnd(null)}>
          <PageOutlet />
        </Frame>
      </Results>
    </SessionContext.Provider>
  )
}
