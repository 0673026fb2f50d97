/** A list of the server, page by page. Where it stands is in the address, so that it can be shared and gone back from. */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import type { CallOptions, Page } from '../../client/index.ts'
import { cameFromHere, useUrlState } from './address.ts'
import { Loading, Problem } from './detail.tsx'
import { text } from './url-values.ts'
import { type Answer, useAnswer } from './use-answer.ts'

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => ComponentChildren
  readonly isNumber?: boolean
}

export interface PageQuery {
  readonly cursor: string | undefined
  readonly limit: number
}

const rowsPerPage = 50
const shape = { cursor: text }

/** A page of a list; `key` names the list and its filters. */
export function usePage<T, P extends Page<T> = Page<T>>(
  key: string,
  read: (query: PageQuery, call: CallOptions) => PromiseLike<P>,
  { limit = rowsPerPage, ...options }: { readonly everyMs?: number; readonly limit?: number } = {},
): Answer<P> {
  const [{ cursor }] = useUrlState(shape)
  const query = { cursor: cursor === '' ? undefined : cursor, limit }
  return useAnswer(`${key} ${cursor}`, (call) => read(query, call), options)
}

interface Selection {
  readonly selected: readonly string[]
  readonly onSelect: (selected: readonly string[]) => void
}

interface KeysetTableProps<T> {
  /** What is listed, such as "Endpoints". */
  readonly label: string
  readonly page: Pick<Answer<Page<T>>, 'value' | 'problem' | 'again'>
  readonly keyOf: (row: T) => string
  readonly columns: readonly Column<T>[]
  /** What to do when there are none. */
  readonly empty: ComponentChildren
  readonly selection?: Selection | undefined
}

export function KeysetTable<T>({ label, page, keyOf, columns, empty, selection }: KeysetTableProps<T>) {
  const { value, problem, again } = page
  return (
    <>
      {problem !== null && <Problem what={`${label} could not be read`} why={problem} onAgain={again} />}
      {value === null && problem === null && <Loading />}
      {value !== null && value.items.length === 0 && <div class="empty">{empty}</div>}
      {value !== null && value.items.length > 0 && (
        <Rows label={label} rows={value.items} keyOf={keyOf} columns={columns} selection={selection} />
      )}
      {value !== null && <PageButtons nextCursor={value.nextCursor} />}
    </>
  )
}

interface RowsProps<T> {
  readonly label: string
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  readonly columns: readonly Column<T>[]
  readonly selection?: Selection | undefined
}

/** Rows alone, in a scroll area of their own. The arrows up and down go from row to row. */
export function Rows<T>({ label, rows, keyOf, columns, selection }: RowsProps<T>) {
  const body = useRef<HTMLTableSectionElement>(null)
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const target = event.target as Element
    if (step === 0 || target.matches('select, textarea')) return
    const all = [...(body.current?.rows ?? [])]
    const now = all.findIndex((row) => row.contains(target))
    const next = all[now + step]?.querySelector<HTMLElement>('a, button, input')
    if (!next) return
    event.preventDefault()
    next.focus()
  }
  const keys = rows.map(keyOf)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it.
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {selection && (
              <th scope="col" class="tick">
                <SelectAll keys={keys} {...selection} />
              </th>
            )}
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={move}>
          {rows.map((row, index) => (
            <tr key={keys[index]}>
              {selection && (
                <td class="tick">
                  <SelectOne of={keys[index] ?? ''} {...selection} />
                </td>
              )}
              {columns.map(({ title, cell, isNumber }) => (
                <td key={title} class={isNumber ? 'number' : ''}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function SelectAll({ keys, selected, onSelect }: Selection & { readonly keys: readonly string[] }) {
  const isAll = keys.length > 0 && keys.every((key) => selected.includes(key))
  return (
    <input
      type="checkbox"
      aria-label="Select all rows of this page"
      checked={isAll}
      onChange={() => onSelect(isAll ? [] : [...keys])}
    />
  )
}

function SelectOne({ of, selected, onSelect }: Selection & { readonly of: string }) {
  const isSelected = selected.includes(of)
  return (
    <input
      type="checkbox"
      aria-label={`Select ${of}`}
      checked={isSelected}
      onChange={() => onSelect(isSelected ? selected.filter((one) => one !== of) : [...selected, of])}
    />
  )
}

function PageButtons({ nextCursor }: { readonly nextCursor: string }) {
  const [{ cursor }, set] = useUrlState(shape)
  if (cursor === '' && nextCursor === '') return null
  return (
    <nav class="bar pages" aria-label="Pages of the list">
      {cursor !== '' && (
        <>
          <button type="button" onClick={() => set({ cursor: '' })}>
            First page
          </button>
          {cameFromHere() && (
            <button type="button" onClick={() => history.back()}>
              Back
            </button>
          )}
        </>
      )}
      {nextCursor !== '' && (
        <button type="button" onClick={() => set({ cursor: nextCursor })}>
          Next page
        </button>
      )}
    </nav>
  )
}
