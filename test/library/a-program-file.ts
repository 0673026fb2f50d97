/** A program's own SQLite file, with an outbox in it and a table of orders. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { outboxSql } from '../../src/index.ts'

export interface ProgramFile {
  readonly path: string
  readonly db: DatabaseSync
  /** How many rows the outbox has, those that were set aside left out unless they are asked for. */
  count(condition?: string): number
  insert(row: Readonly<Record<string, string | number | bigint | Uint8Array | null>>): string
}

/** Removed by whoever asked for it. */
export function makeProgramDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'outhook-outbox-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) }
}

export function openProgramFile(path: string, pragmas = 'pragma journal_mode = wal'): ProgramFile {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  db.exec(`${pragmas}; create table if not exists orders (id text); ${outboxSql()}`)
  return {
    path,
    db,
    count: (condition = 'error is null') =>
      db.prepare(`select count(*) as n from outhook_outbox where ${condition}`).get()?.n as number,
    insert(row) {
      const names = Object.keys(row)
      const marks = names.map(() => '?').join(', ')
      const { lastInsertRowid } = db
        .prepare(`insert into outhook_outbox (${names.join(', ')}) values (${marks})`)
        .run(...Object.values(row))
      return db.prepare('select id from outhook_outbox where seq = ?').get(lastInsertRowid)?.id as string
    },
  }
}
