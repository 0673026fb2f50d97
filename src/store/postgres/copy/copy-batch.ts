/** One batch of rows on its way into a PostgreSQL store, which knows its columns only from the database. */
import { OuthookError } from '../../../core/errors.ts'
import {
  type CopyBatch,
  type CopyColumn,
  type CopyStep,
  type CopyValue,
  unfinishedCopyName,
} from '../../copy.ts'
import type { Session } from '../connection/database.ts'
import { type Parameters, query, runTimeless, type Statement, type Values } from '../connection/statement.ts'
import { withoutNul } from '../rows/wire-types.ts'

export interface TargetColumn extends CopyColumn {
  /** PostgreSQL's name of the type. */
  readonly type: string
}

/** SQL: 16 bytes for each id; zeros stand for none. */
function idsOf(bytes: string): string {
  return `(
      select coalesce(array_agg(nullif(encode(substring(b.ids from 16 * n + 1 for 16), 'hex')::uuid,
        '00000000-0000-0000-0000-000000000000') order by n), '{}')
      from (select ${bytes} as ids) b, generate_series(0, octet_length(b.ids) / 16 - 1) n)`
}

/** Values that stand for something else on SQLite: the type they travel as, and what becomes of them. */
const translated: Readonly<Record<string, { readonly type: string; readonly sql: string }>> = {
  // A direct send has no endpoint: an empty blob there, the tenant here.
  'delivery_counts.endpoint_id': {
    type: 'text',
    sql: `coalesce(nullif(r.endpoint_id, '')::uuid, r.tenant_id)`,
  },
  'events.fan_out': { type: 'bytea', sql: idsOf('BYTES') },
  'fan_out_slices.delivery_ids': { type: 'bytea', sql: idsOf('BYTES') },
}

export async function readColumns(session: Session, table: string): Promise<readonly TargetColumn[]> {
  const rows = await runTimeless(session, columnsStatement, { table })
  return rows.map(({ name, type }) => ({ name, type, kind: kindOf(type) }))
}

const columnsStatement = query<{ readonly name: string; readonly type: string }>()(
  null,
  { table: 'text' },
  `select column_name::text as name, udt_name::text as type from information_schema.columns
   where table_schema = current_schema() and table_name = $table order by ordinal_position`,
)

const kinds: Readonly<Record<string, CopyColumn['kind']>> = {
  uuid: 'id',
  bytea: 'bytes',
  _uuid: 'bytes',
  text: 'text',
  int4: 'number',
  int8: 'number',
  float4: 'number',
  float8: 'number',
  bool: 'number',
}

function kindOf(type: string): CopyColumn['kind'] {
  const kind = kinds[type]
  if (kind === undefined) throw new OuthookError('internal', `a copy knows no columns of type ${type}`)
  return kind
}

interface MovedRow {
  readonly moved: number
}

interface Writing extends CopyStep {
  readonly types: readonly TargetColumn[]
}

export async function writeBatch(session: Session, batch: CopyBatch, writing: Writing): Promise<boolean> {
  const { from, to, columns } = writing
  const [row] = await runTimeless(session, writeStatement(writing), {
    copy_from: JSON.stringify(from),
    copy_to: JSON.stringify(to),
    ...columnValues(batch, columns),
    copy_bytes: Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength),
  } as Values<Parameters>)
  return row?.moved === 1
}

/** One list per column: of bytes, where each value begins in `bytes`, and how long it is. */
function columnValues(batch: CopyBatch, columns: readonly CopyColumn[]) {
  let at = 1
  const lists: Record<string, readonly CopyValue[]> = {}
  columns.forEach(({ name, kind }, index) => {
    const values = batch.values[index] ?? []
    if (kind !== 'bytes') {
      lists[name] = kind === 'text' ? values.map(storable) : values
      return
    }
    lists[`${name}_length`] = values
    lists[`${name}_at`] = values.map((length) => {
      const start = at
      at += Number(length)
      return start
    })
  })
  return lists
}

/** The rows, and the step from one position to the next, which nobody else may have made. */
function writeStatement({ to: { table }, columns, types }: Writing): Statement<Parameters, MovedRow> {
  const lists = columns.flatMap(({ name, kind }) => {
    if (kind !== 'bytes') return [{ name, type: typeOf(table, name, types) }]
    return [`${name}_at`, `${name}_length`].map((part) => ({ name: part, type: 'integer' }))
  })
  const listed = Object.fromEntries(lists.map(({ name, type }) => [name, `${type}[]`]))
  const hasBytes = columns.some(({ kind }) => kind === 'bytes')
  // A table may have a column of any name without the prefix.
  const parameters = {
    copy_from: 'text',
    copy_to: 'text',
    ...listed,
    ...(hasBytes && { copy_bytes: 'bytea' }),
  }
  const inserted = columns.map(({ name, kind }) => {
    const sql = translated[`${table}.${name}`]?.sql
    if (kind !== 'bytes') return sql ?? `r.${name}`
    const cut = `substring($copy_bytes from r.${name}_at for r.${name}_length)`
    return sql === undefined ? cut : sql.replace('BYTES', cut)
  })
  return query<MovedRow>()(
    `copy_${table}`,
    parameters as Parameters,
    `
    with moved as (
      update meta set value = $copy_to where name = '${unfinishedCopyName}' and value = $copy_from returning 1
    ), written as (
      insert into ${table} (${columns.map(({ name }) => name).join(', ')})
      select ${inserted.join(', ')}
      from unnest(${lists.map(({ name }) => `$${name}`).join(', ')})
        as r (${lists.map(({ name }) => name).join(', ')})
      where exists (select from moved)
    )
    select count(*)::integer as moved from moved`,
  )
}

function typeOf(table: string, name: string, types: readonly TargetColumn[]): string {
  const type = translated[`${table}.${name}`]?.type ?? types.find((column) => column.name === name)?.type
  if (type === undefined) throw new OuthookError('internal', `the target has no column ${table}.${name}`)
  return type
}

function storable(value: CopyValue): CopyValue {
  return typeof value === 'string' ? withoutNul(value) : value
}
