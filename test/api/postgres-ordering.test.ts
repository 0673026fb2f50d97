import { beforeAll } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { describeOrdering } from './ordering-cases.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let database: PostgresServer
beforeAll(async () => {
  database = await newest.start()
  return () => database.stop()
})

describeOrdering('PostgreSQL, two servers on one database', async () => {
  const store = `${database.url}?schema=outhook_ordering_${process.pid}`
  const config = { store, masterKey: 'ab'.repeat(32) }
  return [config, config]
})
