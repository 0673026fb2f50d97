import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer } from './a-server.ts'
import { describeSending } from './both-stores/sending.ts'
import { describeCommands } from './command-rows.ts'
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
const aStore = (): string => `${database.url}?schema=outhook_rows_${process.pid}_${++schemas}`
const openOn =
  (store: string): OpenServer =>
  (options) =>
    aServer({ ...options, config: { store, masterKey: 'ab'.repeat(32), ...options?.config } })
const newStore = () => openOn(aStore())

describeHookrailRows(newStore)
describeSending(newStore)
describeExpunging(newStore)
describeCommands(() => {
  const store = aStore()
  return { store, open: openOn(store) }
})
