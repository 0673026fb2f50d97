import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer } from './a-server.ts'
import { describeAudit } from './both-stores/audit.ts'
import { describeCertificateExpiry } from './both-stores/certificate-expiry.ts'
import { describeCredentials } from './both-stores/credentials.ts'
import { describeMasterKey } from './both-stores/master-key.ts'
import { describeOAuth2 } from './both-stores/oauth2.ts'
import { describeObserving } from './both-stores/observing.ts'
import { describePlantedSecrets } from './both-stores/planted-secrets.ts'
import { describePyflyImport } from './both-stores/pyfly-import.ts'
import { describeSecretsAtRest } from './both-stores/secrets-at-rest.ts'
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
const aReadableStore = () => {
  const store = aStore()
  return { open: openOn(store), content: () => readRows(new URL(store).searchParams.get('schema') ?? '') }
}

describeHookrailRows(newStore)
describeSending(newStore)
describeMasterKey(newStore)
describeObserving(newStore)
describeAudit(newStore)
describePyflyImport(newStore)
describeSecretsAtRest(() => {
  const store = aStore()
  return { open: openOn(store), content: () => readRows(new URL(store).searchParams.get('schema') ?? '') }
})
describePlantedSecrets(() => {
  const store = aStore()
  return { store, content: () => readRows(new URL(store).searchParams.get('schema') ?? '') }
})
describeCredentials(aReadableStore)
describeOAuth2(aReadableStore, 2)
describeCertificateExpiry(newStore, 2)
describeExpunging(newStore)
describeCommands(() => {
  const store = aStore()
  return { store, open: openOn(store) }
})

/** Every row of every table of a schema, as text, with bytes as hexadecimal digits. */
async function readRows(schema: string): Promise<Buffer> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const tables = await client.query('select tablename from pg_tables where schemaname = $1', [schema])
  const texts: string[] = []
  for (const { tablename } of tables.rows) {
    const { rows } = await client.query(`select t::text as row from "${schema}"."${tablename}" t`)
    for (const { row } of rows) texts.push(row)
  }
  await client.end()
  return Buffer.from(texts.join('\n'))
}
