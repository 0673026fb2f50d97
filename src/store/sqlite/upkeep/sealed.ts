/** The exchange of the master key: sealed values are read in slices and replaced. */
import type { MetaChange, SealedSlice, SealedValue } from '../../port.ts'
import { type SealedColumn, sealedColumns, sealedHead } from '../../sealed-columns.ts'
import type { ReadContext } from '../read/context.ts'
import type { WriteContext } from '../threads/write-context.ts'

export function getMeta(context: ReadContext, name: string): string | null {
  const row = context.prepare<{ readonly value: string }>('select value from meta where name = ?').get(name)
  return row?.value ?? null
}

export function replaceMeta(context: WriteContext, changes: readonly MetaChange[]): boolean {
  const isThere = ({ name, from }: MetaChange): boolean => {
    const row = context.prepare<{ readonly value: string }>('select value from meta where name = ?').get(name)
    return (row?.value ?? null) === from
  }
  if (!changes.every(isThere)) return false
  for (const { name, to } of changes) {
    if (to === null) context.prepare('delete from meta where name = ?').run(name)
    else context.prepare('insert or replace into meta (name, value) values (?, ?)').run(name, to)
  }
  return true
}

interface SealedRow {
  readonly key: Uint8Array
  readonly place: Uint8Array
  readonly sealed: Uint8Array | null
}

export function listSealed(
  context: ReadContext,
  column: number,
  fingerprint: string,
  after: Uint8Array | null,
  limit: number,
): SealedSlice {
  const of = sealedColumns[column] as SealedColumn
  const rows = context
    .prepare<SealedRow>(
      // primary key
      `select ${of.key} as key, ${of.place} as place,
         case when substr(${of.column}, 1, 5) = ? then ${of.column} end as sealed
       from ${of.table} where ${of.key} > ? order by ${of.key} limit ?`,
    )
    .all(sealedHead(fingerprint), after ?? new Uint8Array(0), limit)
  return {
    values: rows.filter((row): row is SealedValue & SealedRow => row.sealed !== null),
    next: rows.length < limit ? null : (rows.at(-1)?.key ?? null),
  }
}

export function replaceSealed(
  context: WriteContext,
  column: number,
  values: readonly { readonly key: Uint8Array; readonly from: Uint8Array; readonly to: Uint8Array }[],
): number {
  const of = sealedColumns[column] as SealedColumn
  const replace = context.prepare(
    // primary key
    `update ${of.table} set ${of.column} = ? where ${of.key} = ? and ${of.column} = ?`,
  )
  return values.reduce((sum, { key, from, to }) => sum + Number(replace.run(to, key, from).changes), 0)
}

export function countSealed(context: ReadContext, fingerprint: string): number {
  const counts = sealedColumns.map(({ table, column }) => {
    const row = context
      .prepare<{ readonly count: number }>(
        `select count(*) as count from ${table} where substr(${column}, 1, 5) = ?`,
      )
      .get(sealedHead(fingerprint))
    return row?.count ?? 0
  })
  return counts.reduce((sum, count) => sum + count, 0)
}
