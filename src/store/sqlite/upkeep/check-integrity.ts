/** Reads the whole file and tells what in it is damaged. Blocks, for about a second per gigabyte where it is cached. */
import type { DatabaseSync } from 'node:sqlite'
import type { CheckProgress } from '../../finding.ts'
import { sqliteCode, storeFaultOf } from '../connection/result-codes.ts'

export interface IntegrityCheck {
  /** Leaves out whether each index agrees with its table, which takes most of the time. */
  readonly quick: boolean
  /** Before each table. */
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined
}

export interface IntegrityReport {
  readonly tables: number
  /** What is damaged, in SQLite's words; none when all is well. No more than a few. */
  readonly damage: readonly string[]
}

const maxDamage = 5
const notADatabase = 26

/** One table after the other, so that it can be told how far it is, and no snapshot is held for long. */
export function checkIntegrity(
  database: DatabaseSync,
  { quick, onProgress }: IntegrityCheck,
): IntegrityReport {
  const pragma = quick ? 'quick_check' : 'integrity_check'
  const damage: string[] = []
  const tables = ['sqlite_schema', ...guarded(damage, () => listTables(database))]
  for (const [done, table] of tables.entries()) {
    if (damage.length >= maxDamage) break
    onProgress?.({ table, done, of: tables.length })
    const found = guarded(damage, () => {
      const rows = database.prepare(`pragma ${pragma}('${table.replaceAll("'", "''")}')`).all()
      return rows.flatMap((row) => Object.values(row).map(String)).filter((text) => text !== 'ok')
    })
    damage.push(...found.flatMap((text) => text.split('\n')).map((text) => `${table}: ${text}`))
  }
  return { tables: tables.length, damage: damage.slice(0, maxDamage) }
}

function listTables(database: DatabaseSync): readonly string[] {
  const rows = database.prepare(`select name from sqlite_schema where type = 'table' order by name`).all()
  return rows.map(({ name }) => String(name))
}

/** A page that cannot be made sense of ends the check with an error, which is a finding too. */
function guarded(damage: string[], read: () => readonly string[]): readonly string[] {
  try {
    return read()
  } catch (error) {
    const fault = storeFaultOf(error)
    // Of a file that is no database at all there is nothing to say page by page.
    if ((fault !== 'damaged' && fault !== 'io_error') || sqliteCode(error) === notADatabase) throw error
    damage.push((error as Error).message)
    return []
  }
}
