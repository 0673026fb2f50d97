/**
 * One outbox in a SQLite file of somebody else's, on a thread of its own. Nothing is set in that file: it keeps its
 * journal, its encoding and its tables. It is opened when it is needed, and anew after each error and when another file
 * stands at its path, because what is written through a file that was replaced reaches nobody.
 *
 * Locks: `read` holds a read transaction for one batch, `finish` the write lock for the deletes of one batch.
 */
import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import { limits } from '../../../core/model.ts'
import type { OutboxFinish, OutboxQuery, OutboxRead, OutboxRow, RefusedOutboxRow } from '../../port.ts'
import { openForeignDatabase, readPragma } from '../connection/database.ts'
import { sqliteCode, storeFaultOf } from '../connection/result-codes.ts'
import { outboxTable, traceColumns } from './outbox-table.ts'
import { readRow, type SelectedRow } from './read-row.ts'

/** Rows whose deletes share one transaction. */
const maxBatchRows = 200
const maxBatchBytes = 1024 * 1024
/** For a lock of somebody else's; the next look tries again. */
const busyTimeoutMs = 1000
/** More than any of these texts may have, in either encoding. */
const maxTextBytes = 1024
const maxMetadataBytes = 64 * 1024

interface OpenFile {
  readonly database: DatabaseSync
  /** Device and inode. */
  readonly identity: string
  readonly selectSql: string
}

export class OutboxDatabase {
  readonly #path: string
  #open: OpenFile | null = null
  /** Counts openings: `data_version` means something within one of them. */
  #openings = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Errors: store_unavailable, with what is wrong with the file. */
  read({ after, without, unlessVersion }: OutboxQuery): OutboxRead | null {
    return this.#withFile(({ database, selectSql }) => {
      const version = `${this.#openings}:${String(readPragma(database, 'data_version'))}`
      if (version === unlessVersion) return null
      const rows: OutboxRow[] = []
      const refused: RefusedOutboxRow[] = []
      let bytes = 0
      let last: string | null = null
      const select = database.prepare(selectSql)
      const named = JSON.stringify(without.filter((tenant) => tenant !== null))
      const parameters = [after ?? lowestPlace, without.includes(null) ? 1 : 0, named, maxBatchRows]
      // Row by row: the whole of it may be larger than a batch.
      for (const selected of select.iterate(...parameters) as Iterable<unknown>) {
        const row = readRow(selected as SelectedRow)
        last = row.place
        if ('error' in row) refused.push(row)
        else {
          rows.push(row)
          bytes += row.payload.length
        }
        if (bytes >= maxBatchBytes) break
      }
      return { version, rows, refused, last }
    })
  }

  finish({ relayed, refused }: OutboxFinish): void {
    this.#withFile(({ database }) => {
      database.exec('begin immediate')
      try {
        const remove = database.prepare(
          `delete from ${outboxTable} where seq = cast(? as integer) and id = ?`,
        )
        for (const { place, id } of relayed) remove.run(place, id)
        const setAside = database.prepare(
          `update ${outboxTable} set error = ? where seq = cast(? as integer) and error is null`,
        )
        for (const { place, error } of refused) setAside.run(error, place)
        database.exec('commit')
      } catch (error) {
        if (database.isTransaction) database.exec('rollback')
        throw error
      }
    })
  }

  close(): void {
    const open = this.#open
    this.#open = null
    try {
      open?.database.close()
    } catch {
      // It is of no use any more.
    }
  }

  #withFile<T>(work: (file: OpenFile) => T): T {
    try {
      return work(this.#current())
    } catch (error) {
      if (storeFaultOf(error) !== 'busy') this.close()
      throw problemOf(this.#path, error)
    }
  }

  /** The file that stands at the path now. */
  #current(): OpenFile {
    const { dev, ino } = statSync(this.#path, { bigint: true })
    const identity = `${dev}:${ino}`
    if (this.#open?.identity === identity) return this.#open
    this.close()
    const database = openForeignDatabase(this.#path, busyTimeoutMs)
    try {
      // A delete that a power failure undoes is made again, and the row's id keeps its event one: no flush is needed.
      if (readPragma(database, 'journal_mode') === 'wal') database.exec('pragma synchronous = normal')
      const isUtf8 = readPragma(database, 'encoding') === 'UTF-8'
      const selectSql = selectRows({ isUtf8, hasTrace: hasTraceColumns(database) })
      this.#open = { database, identity, selectSql }
      this.#openings++
      return this.#open
    } catch (error) {
      database.close()
      throw error
    }
  }
}

const lowestPlace = '-9223372036854775808'

/** Too long for all of them: what it stands for is refused for its length. */
const tooLongText = `printf('%.${maxTextBytes}c', 'x')`

/**
 * Served by the index of the rows that wait. What is larger than it may be is not read: of an id and of metadata then
 * something stands there that is refused. Bytes of text are those of the file's encoding, so only UTF-8 is cast.
 */
function selectRows({ isUtf8, hasTrace }: { readonly isUtf8: boolean; readonly hasTrace: boolean }): string {
  const payload = isUtf8
    ? 'cast(payload as blob)'
    : `case typeof(payload) when 'blob' then payload else cast(payload as text) end`
  const text = (column: string): string =>
    `case when octet_length(${column}) > ${maxTextBytes} then ${tooLongText} else cast(${column} as text) end as ${column}`
  return `select cast(seq as text) as place,
      case when typeof(id) = 'text' and octet_length(id) <= ${maxTextBytes} then id else '' end as id,
      ${['tenant', 'topic', 'idempotency_key', 'ordering_key'].map(text).join(', ')},
      ${traceColumns.map(hasTrace ? text : noText).join(', ')},
      deliver_at is not null as has_deliver_at,
      case when octet_length(deliver_at) <= 64 and deliver_at glob '*[-:]*'
        then cast(round((julianday(deliver_at) - 2440587.5) * 86400000.0) as integer) end as deliver_at,
      case when octet_length(metadata) > ${maxMetadataBytes} then '0' else cast(metadata as text) end as metadata,
      case when octet_length(payload) <= ${2 * limits.maxPayloadBytes} then ${payload} end as payload
    from ${outboxTable} indexed by ${outboxTable}_waiting
    where error is null and seq > cast(? as integer)
      and case when tenant is null then ? = 0 else tenant not in (select value from json_each(?)) end
    order by seq limit ?`
}

const noText = (column: string): string => `null as ${column}`

function hasTraceColumns(database: DatabaseSync): boolean {
  const found = database.prepare(`select name from pragma_table_info('${outboxTable}')`).all()
  return traceColumns.every((column) => found.some(({ name }) => name === column))
}

function problemOf(path: string, error: unknown): OuthookError {
  if (error instanceof OuthookError) return error
  return new OuthookError(
    'store_unavailable',
    `the outbox ${path} cannot be relayed now: ${reasonOf(error)}`,
    {
      cause: error,
      fault: storeFaultOf(error) ?? undefined,
    },
  )
}

/** What is wrong with the file, and what to do. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return 'there is no such file; correct the path, or put the file there'
  if (/no such (table|index): outhook_outbox/.test(message) || message.includes(`${outboxTable}_waiting`)) {
    return `it has no table ${outboxTable}; make it with the SQL of outboxSql(), which "outhook outbox-sql" prints`
  }
  switch (storeFaultOf(error)) {
    case 'busy':
      return 'somebody else holds a lock on it; it goes on when they let go'
    case 'damaged':
      return `it is damaged, or no SQLite database (${message}); restore it from a backup`
    case 'full':
      return 'its disk is full; make room'
    case 'read_only':
      return 'it takes no writes, and rows that are relayed have to be deleted; let this process write to it and to its folder'
    case 'io_error':
      return `its disk fails to read or write (${message}); check it`
    case 'unreachable':
      return 'it cannot be opened; let this process read and write it and its folder'
    default:
      return sqliteCode(error) === null ? message : `SQLite says "${message}"`
  }
}
