/**
 * Copies a whole store into an empty one of another kind: table by table, in key order, in batches. Where the copy has
 * got to stands in the target and moves in the same transaction as each batch, so that a copy that was ended at any
 * moment goes on where it was and writes no row twice. Until the two agree on all counts, the target is marked as
 * unfinished, and whoever opens it to serve is refused.
 */
import { OuthookError } from '../core/errors.ts'
import { type CopiedTable, copiedTables } from './copied-tables.ts'

/**
 * In `meta` of both: names the copy. A server that opens the source removes it there, because from then on what was
 * copied before is no longer true.
 */
export const copyIdName = 'copy_id'
/** In `meta` of the target until the copy is whole: its `CopyPosition`. */
export const unfinishedCopyName = 'unfinished_copy'

/** Rows that travel together at most. */
export const maxBatchRows = 1000
/** Bytes of their text and blobs at most; a single row may be larger. */
export const maxBatchBytes = 4 * 1024 * 1024

export interface CopyColumn {
  readonly name: string
  /** How its values travel: ids as hexadecimal text, bytes apart from the row, all others as they are. */
  readonly kind: 'id' | 'bytes' | 'text' | 'number'
}

export type CopyValue = string | number | null
/** Values of the key's columns; ids and bytes as hexadecimal text. */
export type CopyKey = readonly (string | number)[]

/** Rows of one table, by column. */
export interface CopyBatch {
  readonly rows: number
  /** In the order of the columns asked for. Of a `bytes` column the lengths. */
  readonly values: readonly (readonly CopyValue[])[]
  /** What the `bytes` columns hold, one value after the other, column by column. */
  readonly bytes: Uint8Array
  /** The key of the last row; null: there were no rows. */
  readonly last: CopyKey | null
}

export interface CopyPosition {
  readonly table: string
  /** The last row that was written; null: none of this table. */
  readonly after: CopyKey | null
  /** Rows of this table that were written. */
  readonly rows: number
}

export interface CopyCount {
  readonly table: string
  readonly state: string | null
  readonly rows: number
}

export type MetaEntries = Readonly<Record<string, string>>

export interface SourceTable {
  readonly rows: number
  readonly columns: readonly string[]
}

export interface CopySource {
  readonly meta: MetaEntries
  /** Nobody writes to the source meanwhile, so they stay true. */
  readonly counts: readonly CopyCount[]
  readonly tables: Readonly<Record<string, SourceTable>>
  /** The rows behind `after`. */
  read(
    table: CopiedTable,
    columns: readonly CopyColumn[],
    options: { readonly after: CopyKey | null },
  ): Promise<CopyBatch>
  close(): Promise<void>
}

export interface CopyTarget {
  /**
   * Marks an empty target as an unfinished copy and takes the source's `meta`, in one transaction. Resolves to where
   * to go on; null: this copy was finished before. `conflict`: it holds anything else; `wrong_master_key`: it was
   * opened with another master key than the source.
   */
  begin(meta: MetaEntries, first: CopyPosition): Promise<CopyPosition | null>
  columns(table: string): Promise<readonly CopyColumn[]>
  /** The rows and the step from one position to the next, in one statement; false: the copy is not at `from`. */
  write(batch: CopyBatch, step: CopyStep): Promise<boolean>
  /** Null: it is finished. */
  position(): Promise<CopyPosition | null>
  counts(): Promise<readonly CopyCount[]>
  /** Ends leases, arms what is due and lets nodes serve; one transaction. */
  finish(at: CopyPosition): Promise<void>
  close(): Promise<void>
}

export interface CopyStep {
  readonly columns: readonly CopyColumn[]
  readonly from: CopyPosition
  readonly to: CopyPosition
}

export interface CopyProgress {
  readonly table: string
  /** Rows of this table. */
  readonly rows: number
  readonly ofRows: number
  /** Rows of all tables, what earlier runs copied included. */
  readonly totalRows: number
  readonly ofTotalRows: number
  /** Written by this run. */
  readonly written: number
}

export interface ComparedCount {
  readonly table: string
  readonly state: string | null
  readonly source: number
  readonly target: number
}

export interface CopyReport {
  /** False: an earlier run had finished; nothing was done or compared. */
  readonly isNew: boolean
  /** Rows written by this run. */
  readonly written: number
  readonly counts: readonly ComparedCount[]
  readonly agree: boolean
}

export async function copyStore(
  source: CopySource,
  target: CopyTarget,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyReport> {
  let written = 0
  const tell = (position: CopyPosition, rows: number) => {
    written += rows
    onProgress({ ...progressAt(position, source.tables), written })
  }
  const first = { table: copiedTables[0]?.name ?? '', after: null, rows: 0 }
  let position = await target.begin(source.meta, first)
  while (position !== null) {
    const reached = await copyFrom({ source, target, tell }, position)
    if (reached.isEnd) {
      const counts = compareCounts(source.counts, await target.counts())
      const agree = counts.every((count) => count.source === count.target)
      if (agree) await target.finish(reached.position)
      return { isNew: true, written, counts, agree }
    }
    // A statement of the run before, whose process was killed, was still under way and has moved the copy on.
    position = await target.position()
  }
  return { isNew: false, written, counts: [], agree: true }
}

interface Copying {
  readonly source: CopySource
  readonly target: CopyTarget
  readonly tell: (position: CopyPosition, rows: number) => void
}

interface Reached {
  readonly position: CopyPosition
  /** False: somebody else has moved the copy on. */
  readonly isEnd: boolean
}

async function copyFrom(copying: Copying, start: CopyPosition): Promise<Reached> {
  let position = start
  const firstTable = copiedTables.findIndex(({ name }) => name === start.table)
  for (const [index, table] of copiedTables.entries()) {
    if (index < firstTable) continue
    const at = index === firstTable ? start : { table: table.name, after: null, rows: 0 }
    const reached = await copyTable(copying, table, { from: position, at })
    position = reached.position
    if (!reached.isEnd) return reached
  }
  return { position, isEnd: true }
}

/** `from` is what the target says now, which may still name the table before. */
async function copyTable(
  { source, target, tell }: Copying,
  table: CopiedTable,
  { from, at }: { readonly from: CopyPosition; readonly at: CopyPosition },
): Promise<Reached> {
  const columns = commonColumns(table.name, {
    source: source.tables[table.name]?.columns ?? [],
    target: await target.columns(table.name),
  })
  let position = from
  let rows = at.rows
  let next = source.read(table, columns, { after: at.after })
  for (;;) {
    const batch = await next
    if (batch.last === null) return { position, isEnd: true }
    // The next rows are read while these are written.
    next = source.read(table, columns, { after: batch.last })
    next.catch(() => {})
    rows += batch.rows
    const to = { table: table.name, after: batch.last, rows }
    if (!(await target.write(batch, { columns, from: position, to }))) return { position, isEnd: false }
    position = to
    tell(position, batch.rows)
  }
}

/** A column that only the target has gets its default. */
function commonColumns(
  table: string,
  columns: { readonly source: readonly string[]; readonly target: readonly CopyColumn[] },
): readonly CopyColumn[] {
  const common = columns.target.filter(({ name }) => columns.source.includes(name))
  const lost = columns.source.find((name) => !common.some((column) => column.name === name))
  if (lost === undefined) return common
  throw new OuthookError(
    'store_incompatible',
    `the source has a column ${table}.${lost} that the target does not know; run the newest Outhook that was used on either`,
  )
}

function progressAt(
  { table, rows }: CopyPosition,
  tables: CopySource['tables'],
): Omit<CopyProgress, 'written'> {
  const index = copiedTables.findIndex(({ name }) => name === table)
  const rowsOf = (names: readonly CopiedTable[]) =>
    names.reduce((sum, { name }) => sum + (tables[name]?.rows ?? 0), 0)
  return {
    table,
    rows,
    ofRows: tables[table]?.rows ?? 0,
    totalRows: rowsOf(copiedTables.slice(0, index)) + rows,
    ofTotalRows: rowsOf(copiedTables),
  }
}

function compareCounts(source: readonly CopyCount[], target: readonly CopyCount[]): readonly ComparedCount[] {
  const keyOf = ({ table, state }: CopyCount) => `${table} ${state ?? ''}`
  const inSource = new Map(source.map((count) => [keyOf(count), count.rows]))
  const inTarget = new Map(target.map((count) => [keyOf(count), count.rows]))
  const onlyInTarget = target.filter((count) => !inSource.has(keyOf(count)))
  return [...source, ...onlyInTarget].map((count) => ({
    table: count.table,
    state: count.state,
    source: inSource.get(keyOf(count)) ?? 0,
    target: inTarget.get(keyOf(count)) ?? 0,
  }))
}
