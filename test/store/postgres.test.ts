import { afterAll, beforeAll, describe } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { describeStoreContract } from './contract/contract.ts'
import { openPostgresHarness } from './postgres-harness.ts'

describe.each(testedServers())('$name', ({ start }) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  describeStoreContract('store', () => openPostgresHarness(server))
})
