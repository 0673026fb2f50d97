/** What the server answers, asked for when it is shown and again when what it depends on changes. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { CallOptions } from '../../client/index.ts'
import { isSignedOut, messageOf } from '../server.ts'
import { type EveryMs, nextWait } from './next-wait.ts'
import { useSession } from './session.ts'

export interface Answer<T> {
  /** Null: nothing has come yet. What has come stays while it is asked for again. */
  readonly value: T | null
  /** Why there is nothing newer. */
  readonly problem: string | null
  readonly isLoading: boolean
  /** Asks now. */
  readonly again: () => void
  /** Puts what a change has answered in its place, so that nothing needs to be asked. */
  readonly put: (value: T) => void
}

interface AnswerOptions<T> {
  /** How long until it is asked for again while somebody looks; null or absent: not by itself. */
  readonly everyMs?: EveryMs<T>
}

/** `key` says what is asked for: another key is another thing, of which nothing is known yet. The tenant is part of it. */
export function useAnswer<T>(
  key: string,
  read: (call: CallOptions) => PromiseLike<T>,
  { everyMs = null }: AnswerOptions<T> = {},
): Answer<T> {
  const { tenant, onSignedOut } = useSession()
  const whole = `${tenant ?? ''} ${key}`
  const [state, setState] = useState<State<T>>(nothing(whole))
  const [round, setRound] = useState(0)
  const shown = state.of === whole ? state : nothing<T>(whole)
  const latest = useRef({ read, everyMs, onSignedOut, value: shown.value })
  latest.current = { read, everyMs, onSignedOut, value: shown.value }

  useEffect(() => {
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      setState((before) => ({ ...(before.of === whole ? before : nothing<T>(whole)), isLoading: true }))
      let next: number | null = null
      try {
        const value = await latest.current.read({ tenant, signal: ending.signal })
        if (ending.signal.aborted) return
        setState({ of: whole, value, problem: null, isLoading: false })
        next = nextWait(latest.current.everyMs, value)
      } catch (error) {
        if (ending.signal.aborted) return
        if (isSignedOut(error)) return latest.current.onSignedOut()
        setState((before) => ({ ...before, problem: messageOf(error), isLoading: false }))
        next = nextWait(latest.current.everyMs, latest.current.value)
      }
      if (next !== null) timer = setTimeout(askIfSeen, next)
    }
    // A page that nobody sees costs the server nothing.
    const askIfSeen = () => {
      if (!document.hidden) return void ask()
      document.addEventListener('visibilitychange', askIfSeen, { once: true, signal: ending.signal })
    }
    void ask()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [whole, round])

  const again = useCallback(() => setRound((before) => before + 1), [])
  const put = useCallback(
    (value: T) => setState({ of: whole, value, problem: null, isLoading: false }),
    [whole],
  )
  const { value, problem, isLoading } = shown
  return { value, problem, isLoading, again, put }
}

interface State<T> {
  readonly of: string
  readonly value: T | null
  readonly problem: string | null
  readonly isLoading: boolean
}

function nothing<T>(of: string): State<T> {
  return { of, value: null, problem: null, isLoading: true }
}
