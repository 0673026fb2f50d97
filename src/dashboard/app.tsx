/** Who looks: nobody yet, somebody who has to sign in, or somebody who is signed in. */
import { useEffect, useState } from 'preact/hooks'
import type { SignIn } from '../client/index.ts'
import { SignedIn } from './kit/signed-in.tsx'
import { findSignIn, messageOf } from './server.ts'
import { SignInForm } from './sign-in-form.tsx'

type View =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'signed_out'; readonly why: string | null }
  | { readonly kind: 'signed_in'; readonly signIn: SignIn }

export function App() {
  const [view, setView] = useState<View>({ kind: 'loading' })
  const look = () => {
    setView({ kind: 'loading' })
    findSignIn().then(
      (signIn) =>
        setView(signIn === null ? { kind: 'signed_out', why: null } : { kind: 'signed_in', signIn }),
      (error: unknown) => setView({ kind: 'unreachable', why: messageOf(error) }),
    )
  }
  useEffect(look, [])

  switch (view.kind) {
    case 'loading':
      return (
        <main class="narrow" aria-busy="true">
          <p role="status">Loading …</p>
        </main>
      )
    case 'unreachable':
      return (
        <main class="narrow">
          <h1>Outhook</h1>
          <p role="alert" class="error">
            The server does not answer: {view.why}
          </p>
          <button type="button" onClick={look}>
            Try again
          </button>
        </main>
      )
    case 'signed_out':
      return <SignInForm why={view.why} onSignIn={(signIn) => setView({ kind: 'signed_in', signIn })} />
    case 'signed_in':
      return <SignedIn signIn={view.signIn} onEnd={(why) => setView({ kind: 'signed_out', why })} />
  }
}
