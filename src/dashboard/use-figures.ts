/** Reads again and again while somebody looks. */
import { useEffect, useState } from 'preact/hooks'
import { now } from './clock.ts'
import { type OverviewFigures, readOverview } from './read-overview.ts'
import { isSignedOut, messageOf } from './server.ts'

const everyMs = 5_000

export interface Figures {
  /** Null: none have come yet. What has come stays while the server does not answer. */
  readonly shown: OverviewFigures | null
  /** When it came. */
  readonly readAt: string | null
  /** Why there is nothing newer; null: there is. */
  readonly problem: string | null
}

const none: Figures = { shown: null, readAt: null, problem: null }

interface FiguresOptions {
  readonly tenant: string | undefined
  readonly isPaused: boolean
  readonly onSignedOut: () => void
}

export function useFigures({ tenant, isPaused, onSignedOut }: FiguresOptions): Figures {
  const [figures, setFigures] = useState<Figures>(none)
  useEffect(() => setFigures(none), [tenant])
  useEffect(() => {
    if (isPaused) return
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      // A page that nobody sees costs the server nothing.
      if (document.hidden) return
      try {
        const shown = await readOverview(tenant, ending.signal)
        setFigures({ shown, readAt: new Date(now()).toISOString(), problem: null })
      } catch (error) {
        if (ending.signal.aborted) return
        if (isSignedOut(error)) return onSignedOut()
        setFigures((before) => ({ ...before, problem: messageOf(error) }))
      }
      if (!ending.signal.aborted) timer = setTimeout(read, everyMs)
    }
    const readNow = () => {
      clearTimeout(timer)
      void read()
    }
    document.addEventListener('visibilitychange', readNow)
    void read()
    return () => {
      ending.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', readNow)
    }
  }, [tenant, isPaused])
  return figures
}
