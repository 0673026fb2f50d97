/** The exchange of the master key: sealed values are read in slices and replaced. */
import type { MasterKeyStore, MetaChange, SealedSlice, SealedValue } from '../../port.ts'
import { type SealedColumn, sealedColumns, sealedHead } from '../../sealed-columns.ts'
import type { Runner } from '../connection/runner.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

export function createMasterKeyStore({ plain, atomic }: Runner): MasterKeyStore {
  return {
    getMeta: (name) =>
      plain('read', async (context) => {
        const [row] = await run(context, getMetaStatement, { name })
        return row?.value ?? null
      }),
    replaceMeta: (changes) => atomic('config', (context) => replaceMeta(context, changes)),
    listSealed: (column, fingerprint, after, limit) =>
      plain('read', (context) => listSealed(context, { column, fingerprint, after, limit })),
    replaceSealed: (column, values) =>
      atomic('config', async (context) => {
        let replaced = 0
        for (const value of values) replaced += await replaceOne(context, column, value)
        return replaced
      }),
    countSealed: (fingerprint) =>
      plain('read', async (context) => {
        const head = Buffer.from(sealedHead(fingerprint))
        let count = 0
        for (const { statements } of columns) {
          const [row] = await run(context, statements.count, { head })
          count += row?.count ?? 0
        }
        return count
      }),
  }
}

const getMetaStatement = query<{ readonly value: string }>()(
  'get_meta',
  { name: 'text' },
  'select value from meta where name = $name',
)

/** In one order of the names, so that two of these wait for each other and never in a circle. */
export async function replaceMeta(context: Context, changes: readonly MetaChange[]): Promise<boolean> {
  const sorted = [...changes].sort((a, b) => (a.name < b.name ? -1 : 1))
  await run(context, lockMetaStatement, {})
  for (const { name, from } of sorted) {
    const [row] = await run(context, getMetaStatement, { name })
    if ((row?.value ?? null) !== from) return false
  }
  for (const { name, to } of sorted) {
    if (to === null) await run(context, deleteMetaStatement, { name })
    else await run(context, putMetaStatement, { name, value: to })
  }
  return true
}

/** A row that is not there cannot be locked. Readers, and those who write other rows of it, do not wait for this. */
const lockMetaStatement = command('lock_meta', {}, 'lock table meta in share row exclusive mode')

const deleteMetaStatement = command('delete_meta', { name: 'text' }, 'delete from meta where name = $name')

const putMetaStatement = command(
  'put_meta',
  { name: 'text', value: 'text' },
  'insert into meta (name, value) values ($name, $value) on conflict (name) do update set value = $value',
)

interface Looking {
  readonly column: number
  readonly fingerprint: string
  readonly after: Uint8Array | null
  readonly limit: number
}

async function listSealed(
  context: Context,
  { column, fingerprint, after, limit }: Looking,
): Promise<SealedSlice> {
  const { statements, of } = columns[column] as (typeof columns)[number]
  const rows = await run(context, statements.list, {
    head: Buffer.from(sealedHead(fingerprint)),
    after: toKey(of, after ?? new Uint8Array(of.keyType === 'uuid' ? 16 : 0)),
    limit,
  })
  return {
    values: rows.filter((row): row is SealedValue & SealedRow => row.sealed !== null),
    next: rows.length < limit ? null : (rows.at(-1)?.key ?? null),
  }
}

async function replaceOne(
  context: Context,
  column: number,
  { key, from, to }: { readonly key: Uint8Array; readonly from: Uint8Array; readonly to: Uint8Array },
): Promise<number> {
  const { statements, of } = columns[column] as (typeof columns)[number]
  const values = { key: toKey(of, key), from: Buffer.from(from), to: Buffer.from(to) }
  return (await run(context, statements.replace, values)).length
}

interface SealedRow {
  readonly key: Uint8Array
  readonly place: Uint8Array
  readonly sealed: Uint8Array | null
}

/** Hexadecimal, which both types of keys are cast from. */
function toKey({ keyType }: SealedColumn, key: Uint8Array): string {
  return keyType === 'uuid' ? uuid(key) : Buffer.from(key).toString('hex')
}

function keyOf({ keyType }: SealedColumn, parameter: string): string {
  return keyType === 'uuid' ? `(${parameter})::uuid` : `decode(${parameter}, 'hex')`
}

const columns = sealedColumns.map((of) => ({
  of,
  statements: {
    list: query<SealedRow>()(
      `list_sealed_${of.table}_${of.column}`,
      { head: 'bytea', after: 'text', limit: 'integer' },
      // primary key
      `select ${of.key} as key, ${of.place} as place,
         case when substring(${of.column} from 1 for 5) = $head then ${of.column} end as sealed
       from ${of.table} where ${of.key} > ${keyOf(of, '$after')} order by ${of.key} limit $limit`,
    ),
    replace: query<object>()(
      `replace_sealed_${of.table}_${of.column}`,
      { key: 'text', from: 'bytea', to: 'bytea' },
      // primary key
      `update ${of.table} set ${of.column} = $to where ${of.key} = ${keyOf(of, '$key')} and ${of.column} = $from
         returning ${of.key}`,
    ),
    count: query<{ readonly count: number }>()(
      `count_sealed_${of.table}_${of.column}`,
      { head: 'bytea' },
      `select count(*)::integer as count from ${of.table} where substring(${of.column} from 1 for 5) = $head`,
    ),
  },
}))
