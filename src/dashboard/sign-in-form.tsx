import { useState } from 'preact/hooks'
import type { SignIn } from '../client/index.ts'
import { isSignedOut, messageOf, signIn } from './server.ts'

interface SignInFormProps {
  /** Why somebody who was signed in is asked again; null: nobody was. */
  readonly why: string | null
  readonly onSignIn: (signIn: SignIn) => void
}

export function SignInForm({ why, onSignIn }: SignInFormProps) {
  const [problem, setProblem] = useState<string | null>(why)
  const [isAsking, setAsking] = useState(false)

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('token') as HTMLInputElement
    const token = field.value.trim()
    if (!/^[!-~]+$/.test(token)) {
      setProblem('Enter an admin token: letters, digits and signs, without spaces.')
      field.focus()
      return
    }
    setAsking(true)
    setProblem(null)
    try {
      const signedIn = await signIn(token)
      field.value = ''
      onSignIn(signedIn)
    } catch (error) {
      setAsking(false)
      setProblem(isSignedOut(error) ? 'This token is unknown, revoked or expired.' : messageOf(error))
      field.select()
    }
  }

  return (
    <main class="narrow">
      <h1>Outhook</h1>
      <form onSubmit={submit}>
        <label for="token">Admin token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          aria-describedby="token-help"
          aria-invalid={problem !== null}
        />
        <p id="token-help" class="hint">
          It is exchanged for a cookie that is good for 12 hours and kept nowhere. <code>outhook serve</code>{' '}
          prints the first one; more are made by <code>outhook admin-tokens create</code>.
        </p>
        {problem !== null && (
          <p role="alert" class="error">
            {problem}
          </p>
        )}
        <button type="submit" disabled={isAsking}>
          {isAsking ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
