import { afterAll, beforeAll, describe } from 'vitest'
import { idTime } from '../../src/core/ids.ts'
import { uuidOfId } from '../../src/store/postgres/rows/wire-types.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { describeBoundedPages, type ReadScene } from './contract/bounded-pages.ts'
import { openScene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'
import { rowsReadBy } from './rows-read.ts'

describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)(
  'a page reads a bounded number of rows, PostgreSQL',
  () => {
    let server: PostgresServer
    let harness: PostgresHarness
    let scene: ReadScene

    beforeAll(async () => {
      server = await startPostgres('18')
      harness = await openPostgresHarness(server, { fresh: true })
      scene = {
        ...(await openScene(async () => harness)),
        async multiply(table, id, times) {
          const columns = await harness.sql<{ name: string }>(
            `select column_name as name from information_schema.columns
             where table_schema = current_schema() and table_name = $1 and column_name <> 'id'`,
            [table],
          )
          const names = columns.map(({ name }) => `"${name}"`)
          await harness.sql(
            `insert into ${table} (id, ${names.join(', ')})
             select (lpad(to_hex($1::bigint + 1 + i / 1000), 12, '0') || '7' || lpad(to_hex(i % 1000), 3, '0')
                     || substr(replace(d.id::text, '-', ''), 17))::uuid, ${names.map((name) => `d.${name}`).join(', ')}
             from ${table} d, generate_series(1, $2::int) i where d.id = $3`,
            [idTime(id), times, uuidOfId(id)],
          )
          await harness.sql(`analyze ${table}`)
        },
        rowsRead: (call) => rowsReadBy(harness, call, ['events', 'deliveries', 'live_deliveries', 'outbox']),
      }
    })
    afterAll(async () => {
      await harness?.close()
      await server?.stop()
    }, 60_000)

    describeBoundedPages(() => scene)
  },
)
