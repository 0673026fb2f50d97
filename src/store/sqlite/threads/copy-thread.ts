/** Entry point of the thread that reads a store for a copy: it owns the file meanwhile, so nobody writes to it. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { createIdFactory } from '../../../core/ids.ts'
import { copiedTables, countSql } from '../../copied-tables.ts'
import {
  type CopyBatch,
  type CopyColumn,
  type CopyCount,
  type CopyValue,
  copyIdName,
  type MetaEntries,
  maxBatchBytes,
  maxBatchRows,
  type SourceTable,
} from '../../copy.ts'
import type { FanOutSlice } from '../../port.ts'
import { openOwned } from '../connection/open-writer.ts'
import { isStoreFault } from '../connection/result-codes.ts'
import { StatementCache } from '../connection/statement-cache.ts'
import type { CopyReadRequest, CopySourceOptions, SourceFacts } from '../copy/copy-source.ts'
import {
  type CopyPart,
  createCopyViews,
  partsOfViews,
  placeColumn,
  unknownColumns,
} from '../copy/copy-views.ts'
import { receiversPerSlice } from '../publish/large-fan-out.ts'
import { noBytes } from './packed-bytes.ts'
import { serveThread } from './thread-port.ts'
import { type Result, storeFailure, toError, toFailure } from './tick.ts'
import { Writer } from './writer.ts'

if (parentPort !== null) {
  serveThread<CopyReadRequest | null>(parentPort, () => {
    const options = workerData as CopySourceOptions
    const { database, close } = openOwned({ ...options, maxPageCount: null })
    // As any start does: whoever held the leases is gone, and other stores know none that stand in `handoffs`.
    const writer = new Writer(database)
    writer.takeOver(options.now)
    finishFanOuts(writer, options.now)
    foldAllStats(writer, options.now)
    createCopyViews(database)
    const statements = new StatementCache(database)
    database
      .prepare('insert into meta (name, value) values (?, ?) on conflict do nothing')
      .run(copyIdName, options.newCopyId)
    return {
      run(request) {
        if (request === null) return { reply: attempt(() => readFacts(database)), transfer: [] }
        const reply = attempt(() => readBatch(statements, request))
        const transfer = reply.ok ? [(reply.value as CopyBatch).bytes.buffer as ArrayBuffer] : []
        return { reply, transfer }
      },
      close,
    }
  })
}

/** Their deliveries are copied, and not what would still make them. */
function finishFanOuts(writer: Writer, now: number): void {
  const ids = createIdFactory(() => now)
  for (let more = true; more; ) {
    const deliveryIds = Array.from({ length: receiversPerSlice }, () => ids.next('dlv'))
    const call = { kind: 'write', name: 'fanOutSlice', args: [deliveryIds] } as const
    const [result] = writer.run({ now, calls: [call], bytes: null }).results
    if (result?.ok !== true) throw toError(result?.failure ?? storeFailure('no answer'))
    more = (result.value as FanOutSlice).more
  }
}

/** What is not folded stands in a table that is not copied. */
function foldAllStats(writer: Writer, now: number): void {
  for (let more = true; more; ) {
    const call = { kind: 'write', name: 'foldStats', args: [{ limit: maxBatchRows }] } as const
    const [result] = writer.run({ now, calls: [call], bytes: null }).results
    if (result?.ok !== true) throw toError(result?.failure ?? storeFailure('no answer'))
    more = (result.value as { readonly more: boolean }).more
  }
}

function attempt(work: () => unknown): Result {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    return { ok: false, failure: isStoreFault(error) ? storeFailure(error) : toFailure(error) }
  }
}

function readFacts(database: DatabaseSync): SourceFacts {
  const meta: MetaEntries = Object.fromEntries(
    database
      .prepare('select name, value from meta')
      .all()
      .map(({ name, value }) => [name, value]),
  )
  const statements = new StatementCache(database)
  const counts: CopyCount[] = []
  const tables: Record<string, SourceTable> = {}
  for (const table of copiedTables) {
    const { name } = table
    for (const row of statements.prepare<Omit<CopyCount, 'table'>>(countSql(table)).all())
      counts.push({ table: name, state: row.state, rows: row.rows })
    tables[name] = {
      rows: database.prepare(`select count(*) as rows from ${name}`).get()?.rows as number,
      columns: [...columnsOf(database, name), ...unknownColumns(database, name)],
    }
  }
  return { meta, counts, tables }
}

function columnsOf(database: DatabaseSync, table: string): readonly string[] {
  const columns = database.prepare(`select name from pragma_table_info('${table}')`).all()
  return columns.map(({ name }) => name as string).filter((name) => name !== placeColumn)
}

/** A key is the number of the part and the values of its key. */
function readBatch(statements: StatementCache, request: CopyReadRequest): CopyBatch {
  const { table, after } = request
  const parts = partsOfViews[table.name] ?? [{ from: table.name, key: table.key }]
  const [first = 0, ...key] = after ?? []
  for (let number = Number(first); ; number++) {
    const part = parts[number] as CopyPart
    const beyond = number === first && after !== null ? (key as (string | number)[]) : null
    const batch = readPart(statements, part, { ...request, after: beyond })
    if (batch.last !== null) return { ...batch, last: [number, ...batch.last] }
    if (number === parts.length - 1) return batch
  }
}

function readPart(
  statements: StatementCache,
  part: CopyPart,
  { columns, after }: Omit<CopyReadRequest, 'table'>,
): CopyBatch {
  // The key. A row of nulls for `after` would compare as unknown, so the first batch has no condition.
  const beyond =
    after === null
      ? ''
      : `where (${part.key.join(', ')}) > (${part.key.map(keyParameter(columns)).join(', ')})`
  const inOrder = `from ${part.from} ${beyond} order by ${part.key.join(', ')} limit ?`
  const key: SQLInputValue[] = after === null ? [] : [...after]
  const apart = part.key.filter((name) => name === placeColumn)
  const sizes = statements.prepare(`select ${sizeOf(columns)} as size ${inOrder}`).all(...key, maxBatchRows)
  const count = countThatFits(sizes.map(({ size }) => size as number))
  const rows = statements
    .prepare<Row>(`select ${[...columns.map(selected), ...apart].join(', ')} ${inOrder}`)
    .all(...key, count)
  const last = rows.at(-1)
  const values = columns.map(({ name, kind }) =>
    rows.map((row) =>
      kind === 'bytes' ? ((row[name] as Uint8Array | null)?.byteLength ?? null) : row[name],
    ),
  ) as CopyValue[][]
  return {
    rows: rows.length,
    values,
    bytes: joinBytes(rows, columns),
    last: last === undefined ? null : part.key.map((name) => toKeyValue(last[name])),
  }
}

type Row = Readonly<Record<string, CopyValue | Uint8Array>>

/** A position is kept as JSON, in which bytes would come back as something else. */
function toKeyValue(value: Row[string] | undefined): string | number {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : (value as string | number)
}

function keyParameter(columns: readonly CopyColumn[]): (name: string) => string {
  return (name) => {
    const kind = columns.find((column) => column.name === name)?.kind
    return kind === 'id' || kind === 'bytes' ? 'unhex(?)' : '?'
  }
}

/** `hex(null)` would be an empty text. */
function selected({ name, kind }: CopyColumn): string {
  return kind === 'id' ? `iif(${name} is null, null, hex(${name})) as ${name}` : name
}

/** Found without reading the values themselves. */
function sizeOf(columns: readonly CopyColumn[]): string {
  const large = columns.filter(({ kind }) => kind === 'bytes' || kind === 'text')
  return ['0', ...large.map(({ name }) => `coalesce(octet_length(${name}), 0)`)].join(' + ')
}

function countThatFits(sizes: readonly number[]): number {
  let bytes = 0
  const end = sizes.findIndex((size, index) => {
    bytes += size
    return index > 0 && bytes > maxBatchBytes
  })
  return end === -1 ? sizes.length : end
}

function joinBytes(rows: readonly Row[], columns: readonly CopyColumn[]): Uint8Array<ArrayBuffer> {
  const parts = columns
    .filter(({ kind }) => kind === 'bytes')
    .flatMap(({ name }) => rows.map((row) => (row[name] as Uint8Array | null) ?? noBytes))
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}
