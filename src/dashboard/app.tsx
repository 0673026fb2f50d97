/** Who looks: nobody yet, somebody who has to sign in, or somebody who is signed in. */
import { useEffect, useState } from 'preact/hooks'
import type { SignIn } from '../client/index.ts'
import { SignedIn } from './kit/signed-in.tsx'
import { findSignIn, isSignedOut, messageOf, signIn, takeSignInCode } from './server.ts'
import { SignInForm } from './sign-in-form.tsx'

type View =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'signed_out'; readonly why: string | null }
  | { readonly kind: 'signed_in'; readonly signIn: SignIn }

const usedLink =
  'This link has signed somebody in already, or is older than a minute. "outhook dashboard" prints another.'

export function App() {
  const [view, setView] = useState<View>({ kind: 'loading' })
  const enter = (code: string) => {
    setView({ kind: 'loading' })
    signIn(code).then(
      (signedIn) => setView({ kind: 'signed_in', signIn: signedIn }),
      (error: unknown) =>
        isSignedOut(error)
          ? setView({ kind: 'signed_out', why: usedLink })
          : setView({ kind: 'unreachable', why: messageOf(error) }),
    )
  }
  const look = () => {
    const code = takeSignInCode()
    if (code !== null) return enter(code)
    setView({ kind: 'loading' })
    findSignIn().then(
      (signIn) =>
        setView(signIn === null ? { kind: 'signed_out', why: null } : { kind: 'signed_in', signIn }),
      (error: unknown) => setView({ kind: 'unreachable', why: messageOf(error) }),
    )
  }
  useEffect(() => {
    look()
    // A link that is opened where a page is open already changes its address alone.
    const hear = () => {
      const code = takeSignInCode()
      if (code !== null) enter(code)
    }
    addEventListener('hashchange', hear)
    return () => removeEventListener('hashchange', hear)
  }, [])

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
