import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer } from './a-server.ts'
import { describeExpunging } from './expunge-rule.ts'
import { describeHookrailRows, type OpenServer } from './hookrail-rows.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let database: PostgresServer
beforeAll(async () => {
  database = await newest.start()
})
afterAll(() => database?.stop())

let schemas = 0
const newStore = (): OpenServer => {
  const store = `${database.url}?schema=outhook_rows_${process.pid}_${++schemas}`
  return (options) =>
    aServer({ ...options, config: { store, masterKey: 'ab'.repeat(32), ...options?.config } })
}

describeHookrailRows(newStore)
describeExpunging(newStore)
