/** A list of the server, page by page. Where it stands is in the address, so that going back finds it again. */
import type { Client } from '../../client/index.ts'
import { cameFromHere, useUrlState } from '../kit/address.ts'
import { text } from '../kit/url-values.ts'
import { t } from './locales.ts'
import { type Asked, useAsk } from './session.tsx'

interface Query {
  readonly cursor: string | undefined
  readonly limit: number
}

interface Page<T> {
  readonly items: readonly T[]
  /** Empty: there is no more. */
  readonly nextCursor: string
}

const rows = 50
const shape = { cursor: text }

/** `key` names the list and its filters. */
export function usePages<T>(
  key: string,
  read: (server: Client, query: Query) => Promise<Page<T>>,
): Asked<Page<T>> {
  const [{ cursor }] = useUrlState(shape)
  const query = { cursor: cursor === '' ? undefined : cursor, limit: rows }
  return useAsk(`${key} ${cursor}`, (server) => read(server, query))
}

export function PageButtons({ of: { value } }: { readonly of: Asked<Page<unknown>> }) {
  const [{ cursor }, set] = useUrlState(shape)
  const next = value?.nextCursor ?? ''
  if (cursor === '' && next === '') return null
  return (
    <nav class="bar pages" aria-label={t('pages')}>
      {cursor !== '' && (
        <>
          <button type="button" onClick={() => set({ cursor: '' })}>
            {t('firstPage')}
          </button>
          {cameFromHere() && (
            <button type="button" onClick={() => history.back()}>
              {t('back')}
            </button>
          )}
        </>
      )}
      {next !== '' && (
        <button type="button" onClick={() => set({ cursor: next })}>
          {t('nextPage')}
        </button>
      )}
    </nav>
  )
}
