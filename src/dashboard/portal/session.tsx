/** Who looks: somebody with a link, whose token is kept in memory and nowhere else. */
import { createContext } from 'preact'
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks'
import { type Client, createClient, type Portal } from '../../client/index.ts'
import { home } from '../kit/address.ts'

export type Ability = Portal['abilities'][number]

export interface Session {
  readonly portal: Portal
  readonly server: Client
  readonly can: (ability: Ability) => boolean
  /** Says what came of something, on the page that is shown then. */
  readonly tell: (text: string) => void
  /** The link has ended meanwhile. */
  readonly onEnd: (error: unknown) => void
}

/** Beside `portal/`, so that a path prefix stays. */
export function openServer(token: string): Client {
  return createClient({ url: new URL('..', home).href, token })
}

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('there is no session; show pages inside of the portal')
  return session
}

export function statusOf(error: unknown): number | null {
  return (error as { readonly status?: number }).status ?? null
}

export function messageOf(error: unknown): string {
  const { detail } = error as { readonly detail?: string }
  return detail ?? (error instanceof Error ? error.message : String(error))
}

export interface Asked<T> {
  readonly value: T | null
  readonly problem: string | null
  readonly again: () => void
}

/** Asks when it is shown, when `key` is another, and every so often while somebody looks. */
export function useAsk<T>(key: string, ask: (server: Client) => Promise<T>, everyMs = 0): Asked<T> {
  const { server, onEnd } = useSession()
  const [state, setState] = useState<{ of: string; value: T | null; problem: string | null }>({
    of: key,
    value: null,
    problem: null,
  })
  const [round, setRound] = useState(0)
  const latest = useRef(ask)
  latest.current = ask
  useEffect(() => {
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const run = async () => {
      try {
        const value = await latest.current(server)
        if (ending.signal.aborted) return
        setState({ of: key, value, problem: null })
      } catch (error) {
        if (ending.signal.aborted) return
        if (statusOf(error) === 401) return onEnd(error)
        setState((before) => ({
          of: key,
          value: before.of === key ? before.value : null,
          problem: messageOf(error),
        }))
      }
      if (everyMs > 0) timer = setTimeout(runIfSeen, everyMs)
    }
    // A page that nobody sees costs the server nothing once it has been read.
    const runIfSeen = () => {
      if (!document.hidden) return void run()
      document.addEventListener('visibilitychange', runIfSeen, { once: true, signal: ending.signal })
    }
    void run()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [key, round, server])
  const again = useCallback(() => setRound((before) => before + 1), [])
  const { value, problem } = state.of === key ? state : { value: null, problem: null }
  return { value, problem, again }
}
