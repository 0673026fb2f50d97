/** What the server tells of events as they come, while somebody looks at them. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { StreamedItem } from '../../../client/index.ts'
import { useSession } from '../../kit/session.ts'
import { isSignedOut, messageOf, server } from '../../server.ts'

export type TailItem = Extract<StreamedItem, { readonly kind: 'event' | 'missed' }>

interface Tail {
  /** The newest first. */
  readonly items: readonly TailItem[]
  readonly isConnected: boolean
  /** Why it ended; null: it did not. */
  readonly problem: string | null
  /** Connects anew. */
  readonly again: () => void
}

/** Older ones are in the list. */
const maxItems = 50
/** Many may come in a second, and nobody reads faster than this. */
const shownEveryMs = 200

const nothing: Omit<Tail, 'again'> = { items: [], isConnected: false, problem: null }

/** Of a pause, what had come before it stays. A page that nobody sees holds no connection, of which browsers have few. */
export function useTail(topicPattern: string, isPaused: boolean): Tail {
  const { tenant, signIn, onSignedOut } = useSession()
  const [tail, setTail] = useState(nothing)
  const [round, setRound] = useState(0)
  const [isHidden, setHidden] = useState(document.hidden)
  const ended = useRef(onSignedOut)
  ended.current = onSignedOut
  // Without a tenant somebody who sees all of them would be told of all.
  const of = tenant ?? (signIn.tenantId === null ? 'default' : undefined)

  useEffect(() => {
    const look = () => setHidden(document.hidden)
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [])

  useEffect(() => setTail(nothing), [of, topicPattern])

  useEffect(() => {
    if (isPaused || isHidden) return
    const ending = new AbortController()
    setTail((before) => ({ ...before, problem: null }))
    const news: TailItem[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      const come = news.splice(0).toReversed()
      setTail((before) => ({ ...before, items: [...come, ...before.items].slice(0, maxItems) }))
    }
    const read = async () => {
      const query = { kinds: ['event' as const], ...(topicPattern !== '' && { topicPattern }) }
      for await (const item of server.stream(query, { signal: ending.signal, tenant: of })) {
        if (item.kind === 'started') setTail((before) => ({ ...before, isConnected: true, problem: null }))
        if (item.kind !== 'event' && item.kind !== 'missed') continue
        news.push(item)
        if (news.length > maxItems) news.shift()
        timer ??= setTimeout(show, shownEveryMs)
      }
    }
    read().catch((error: unknown) => {
      if (ending.signal.aborted) return
      if (isSignedOut(error)) return ended.current()
      setTail((before) => ({ ...before, isConnected: false, problem: messageOf(error) }))
    })
    return () => {
      ending.abort()
      clearTimeout(timer)
      if (news.length > 0) show()
      setTail((before) => ({ ...before, isConnected: false }))
    }
  }, [of, topicPattern, isPaused, isHidden, round])
  return { ...tail, again: () => setRound((before) => before + 1) }
}
