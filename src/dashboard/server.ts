/** The server that the page came from. Whoever is signed in is known to it by a cookie that the page cannot read. */
import { type ClientError, createClient, type SignIn } from '../client/index.ts'
import { home } from './kit/address.ts'

/** Beside `dashboard/`, so that a path prefix stays. Also for lines that somebody runs elsewhere. */
export const serverUrl = new URL('..', home).href

/** That somebody signed in here, and no more than that: without it the server need not be asked who did. */
const mark = `signed in at ${serverUrl}`

let csrfToken: string | null = null

/** Of whoever is signed in. */
export const server = createClient({
  url: serverUrl,
  fetch: (input, init) =>
    fetch(input, {
      ...init,
      headers: {
        ...(init?.headers as Record<string, string>),
        ...(csrfToken !== null && { 'x-csrf-token': csrfToken }),
      },
    }),
})

/** The token is sent once and kept nowhere. */
export async function signIn(token: string): Promise<SignIn> {
  return keep(await createClient({ url: serverUrl, token }).signIns.create())
}

const codeName = '#sign-in='

/**
 * The code of a link that signs in by itself. It is taken out of the address at once, so that neither the history nor
 * whoever looks at the window has it. Null: the address has none.
 */
export function takeSignInCode(): string | null {
  if (!location.hash.startsWith(codeName)) return null
  const code = location.hash.slice(codeName.length)
  history.replaceState(history.state, '', location.pathname + location.search)
  return code
}

/** Null: nobody is. */
export async function findSignIn(): Promise<SignIn | null> {
  if (localStorage.getItem(mark) === null) return null
  try {
    return keep(await server.signIns.get())
  } catch (error) {
    if (!isSignedOut(error)) throw error
    forget()
    return null
  }
}

export async function signOut(): Promise<void> {
  try {
    await server.signIns.end()
  } catch (error) {
    // It had ended by itself.
    if (!isSignedOut(error)) throw error
  }
  forget()
}

function forget(): void {
  csrfToken = null
  localStorage.removeItem(mark)
}

export function isSignedOut(error: unknown): boolean {
  return (error as Partial<ClientError> & { readonly status?: number }).status === 401
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function keep(signedIn: SignIn): SignIn {
  csrfToken = signedIn.csrfToken
  localStorage.setItem(mark, 'yes')
  return signedIn
}
