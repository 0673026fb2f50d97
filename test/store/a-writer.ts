/** The writer of a SQLite store in the test's own thread, on a database that the test looks into. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Store } from '../../src/store/port.ts'
import { openDatabase } from '../../src/store/sqlite/connection/database.ts'
import { migrateSqlite } from '../../src/store/sqlite/connection/schema.ts'
import { readOperations } from '../../src/store/sqlite/read/operations.ts'
import { BytePacker, ByteUnpacker } from '../../src/store/sqlite/threads/packed-bytes.ts'
import { type Call, packCall, unpackResult } from '../../src/store/sqlite/threads/tick.ts'
import { Writer } from '../../src/store/sqlite/threads/writer.ts'
import { openScene, type Scene } from './contract/scene.ts'

export interface WriterScene extends Scene {
  readonly database: DatabaseSync
}

const reads: ReadonlySet<string> = new Set(Object.keys(readOperations))

/** `onStatement` is told of each statement when it is compiled, and may wrap it. */
export async function openWriterScene(
  onStatement: (sql: string, statement: StatementSync) => StatementSync,
): Promise<WriterScene> {
  const database = openDatabase(':memory:')
  migrateSqlite(database, 0)
  const watched = new Proxy(database, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => onStatement(sql, target.prepare(sql))
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const writer = new Writer(watched)
  let now = 1_800_000_000_000
  const call = async (name: string, ...args: readonly unknown[]): Promise<unknown> => {
    const packer = new BytePacker()
    const packed = packCall({ kind: reads.has(name) ? 'read' : 'write', name, args } as Call, packer)
    const reply = writer.run({ now, calls: [packed], bytes: packer.pack() })
    const [result] = reply.results
    if (result === undefined || !result.ok) throw new Error(JSON.stringify(result))
    unpackResult(packed, result, new ByteUnpacker(reply.bytes))
    return result.value
  }
  const store = new Proxy(
    {},
    {
      get: (_, name) =>
        name === 'time' ? { now: () => now } : (...args: readonly unknown[]) => call(String(name), ...args),
    },
  ) as Store
  const scene = await openScene(async () => ({
    store,
    now: () => now,
    advance: async (ms) => {
      now += ms
    },
    close: async () => database.close(),
  }))
  return { ...scene, database }
}
