/** Rows under headings for people: plain text, padded, no lines. */
import { styleText } from 'node:util'

export interface Column<T> {
  readonly title: string
  value(row: T): unknown
}

const gap = '  '

export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: { readonly colour: boolean },
): string {
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ value }) => cellText(value(row))))
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join(gap)
      .trimEnd()
  const head = options.colour ? styleText('bold', line(titles), { validateStream: false }) : line(titles)
  return [head, ...cells.map(line)].join('\n')
}

/** `name  value` lines, one per member that is not null. */
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
