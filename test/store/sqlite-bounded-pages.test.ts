import type { SQLInputValue } from 'node:sqlite'
import { afterAll, beforeAll, describe } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { openWriterScene } from './a-writer.ts'
import { describeBoundedPages, type ReadScene } from './contract/bounded-pages.ts'

describe('a page reads a bounded number of rows, SQLite', () => {
  let scene: ReadScene
  let read = 0

  beforeAll(async () => {
    // Whatever a listing looks at comes out of a statement: none of them passes over rows by itself.
    const opened = await openWriterScene((_, statement) => {
      for (const name of ['all', 'get'] as const) {
        const original = statement[name].bind(statement) as (...values: SQLInputValue[]) => unknown
        const counting = (...values: SQLInputValue[]) => {
          const found = original(...values)
          read += Array.isArray(found) ? found.length : 1
          return found
        }
        Object.assign(statement, { [name]: counting })
      }
      return statement
    })
    const { database } = opened
    scene = {
      ...opened,
      async multiply(table, id, times) {
        const columns = database
          .prepare(`select name from pragma_table_info('${table}') where name not in ('k', 'id')`)
          .all()
          .map(({ name }) => name)
        database
          .prepare(
            `with recursive i (value) as (select 1 union all select value + 1 from i where value < ?)
             insert into ${table} (k, id, ${columns.join(', ')})
             select d.k + i.value, randomblob(16), ${columns.map((name) => `d.${name}`).join(', ')}
             from i, ${table} d where d.id = ?`,
          )
          .run(times, idToBytes(id))
      },
      async rowsRead(call) {
        read = 0
        await call()
        return read
      },
    }
  })
  afterAll(() => scene?.close())

  describeBoundedPages(() => scene)
})
