/**
 * Rows under headings for people: plain text, padded, no lines. A table fits the width that it is given: ids are
 * shortened, times are how long ago or until, and what is longest gives way. Programs take `--json`, which has all.
 */
import { styleText } from 'node:util'
import { createSystemClock } from '../core/clock.ts'
import { formatWait } from '../core/duration.ts'
import { shortenId } from './short-id.ts'

/** `age` and `due` take times of RFC 3339. `text` gives way when the table is too wide. */
type CellKind = 'id' | 'age' | 'due' | 'text' | 'plain'

export interface Column<T> {
  readonly title: string
  /** Default `plain`, which is shown whole. */
  readonly kind?: CellKind
  value(row: T): unknown
}

export interface TableOptions {
  readonly colour: boolean
  /** Default 80. */
  readonly width?: number | undefined
  /** Milliseconds since the epoch; default: now. */
  readonly now?: number
}

const gap = '  '
export const defaultWidth = 80
/** Below this a text says nothing. */
const minTextWidth = 6

export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: TableOptions,
): string {
  const { colour, width = defaultWidth, now = createSystemClock().now() } = options
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ kind, value }) => renderCell(value(row), kind, now)))
  const wanted = titles.map((title, index) =>
    Math.max(title.length, ...cells.map((row) => lengthOf(row[index] ?? ''))),
  )
  const widths = fitWidths(columns, wanted, width)
  const line = (row: readonly string[]): string =>
    row
      .map((text, index) => pad(text, widths[index] ?? 0))
      .join(gap)
      .trimEnd()
  const head = colour ? styleText('bold', line(titles), { validateStream: false }) : line(titles)
  return [head, ...cells.map(line)].join('\n')
}

/** Takes from the widest text, character by character, until the table fits or no text can give any more. */
function fitWidths<T>(columns: readonly Column<T>[], wanted: readonly number[], width: number): number[] {
  const widths = [...wanted]
  let excess = widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1)) - width
  while (excess > 0) {
    let widest = -1
    for (const [index, { kind, title }] of columns.entries()) {
      const least = Math.max(minTextWidth, title.length)
      if (kind !== 'text' || (widths[index] ?? 0) <= least) continue
      if (widest === -1 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
    excess--
  }
  return widths
}

function renderCell(value: unknown, kind: CellKind | undefined, now: number): string {
  const text = cellText(value)
  if (text === '-') return text
  if (kind === 'id') return shortenId(text)
  if (kind !== 'age' && kind !== 'due') return text
  const time = Date.parse(text)
  if (Number.isNaN(time)) return text
  if (kind === 'age') return `${formatWait(Math.max(0, now - time))} ago`
  return time <= now ? 'now' : `in ${formatWait(time - now)}`
}

/** Code points, which is what most terminals give a place each. */
function lengthOf(text: string): number {
  return [...text].length
}

function pad(text: string, width: number): string {
  const length = lengthOf(text)
  if (length <= width) return text + ' '.repeat(width - length)
  return `${[...text].slice(0, width - 1).join('')}…`
}

/** `name  value` lines, one per member that is not null. Values stand whole. */
export function renderFields(fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}${gap}${cellText(value)}`).join('\n')
}

function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(',')
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // A receiver's words must not move the cursor or break the row.
  return text.replace(/\p{Cc}/gu, ' ')
}
