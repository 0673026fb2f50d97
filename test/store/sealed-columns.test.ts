/** The list of sealed columns, which the exchange of the master key goes through, against what migrations make. */
import { describe, expect, test } from 'vitest'
import { postgresMigrations } from '../../src/store/postgres/connection/schema.ts'
import { sealedColumns } from '../../src/store/sealed-columns.ts'
import { sqliteMigrations } from '../../src/store/sqlite/connection/schema.ts'

const listed = sealedColumns.map(({ table, column }) => `${table}.${column}`)

describe.each([
  ['SQLite', sqliteMigrations],
  ['PostgreSQL', postgresMigrations],
] as const)('on %s', (_name, migrations) => {
  const tables = migrations.flatMap(({ sql }) => [
    ...[...sql.matchAll(/create table (\w+) \((.*?)^\)/gms)].map(([, name = '', body = '']) => ({
      name,
      body,
    })),
    ...[...sql.matchAll(/^alter table (\w+) add column (.*);$/gm)].map(([, name = '', column = '']) => ({
      name,
      body: `  ${column}`,
    })),
  ])
  const columnsOf = (name: string) =>
    tables.filter((table) => table.name === name).flatMap(({ body }) => [...body.matchAll(/^ {2}(\w+) /gm)])

  test('every column named "sealed", and every one that says that it is under the master key, is in the list', () => {
    const found = tables.flatMap(({ name, body }) =>
      [...body.matchAll(/(?:under the master key[^\n]*\n {2}(\w+) |^ {2}(sealed\w*) )/gm)].map(
        ([, said, named]) => `${name}.${said ?? named}`,
      ),
    )
    expect(found.length).toBeGreaterThan(2)
    expect(found.filter((column) => !listed.includes(column))).toEqual([])
  })

  test('every column in the list is there, with its key and its place', () => {
    for (const { table, column, key, place } of sealedColumns) {
      const there = columnsOf(table).map(([, name]) => name)
      expect(there, table).toEqual(expect.arrayContaining([column, key, place]))
    }
  })
})
