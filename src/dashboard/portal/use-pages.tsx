/** A list of the server, of which more is shown by and by. */
import { useEffect, useState } from 'preact/hooks'
import type { Client } from '../../client/index.ts'
import { t } from './locales.ts'
import { type Asked, messageOf, statusOf, useSession } from './session.tsx'

interface Query {
  readonly cursor: string | undefined
  readonly limit: number
}

interface List<T> extends Asked<readonly T[]> {
  /** Null: there is no more. */
  readonly more: (() => void) | null
}

const rows = 50

interface State<T> {
  readonly of: string
  readonly items: readonly T[] | null
  readonly cursor: string
  readonly problem: string | null
}

/** `key` names the list and its filters. */
export function usePages<T>(
  key: string,
  read: (
    server: Client,
    query: Query,
  ) => PromiseLike<{ readonly items: readonly T[]; readonly nextCursor: string }>,
): List<T> {
  const { server, onEnd } = useSession()
  const [state, setState] = useState<State<T>>({ of: key, items: null, cursor: '', problem: null })
  const load = async (before: readonly T[], cursor: string) => {
    try {
      const page = await read(server, { cursor: cursor === '' ? undefined : cursor, limit: rows })
      setState({ of: key, items: [...before, ...page.items], cursor: page.nextCursor, problem: null })
    } catch (error) {
      if (statusOf(error) === 401) return onEnd(error)
      setState((now) => ({ ...now, of: key, problem: messageOf(error) }))
    }
  }
  useEffect(() => void load([], ''), [key, server])
  const isOwn = state.of === key
  const items = isOwn ? state.items : null
  const more = isOwn && state.cursor !== '' ? () => void load(items ?? [], state.cursor) : null
  return { value: items, problem: isOwn ? state.problem : null, again: () => void load([], ''), more }
}

export function MoreButton({ of }: { readonly of: { readonly more: (() => void) | null } }) {
  if (of.more === null) return null
  return (
    <button type="button" class="more" onClick={of.more}>
      {t('more')}
    </button>
  )
}
