import { afterAll, beforeAll } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { describeSends } from './send-cases.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

describeSends(() =>
  Outhook.open({
    store: `${server.url}?schema=outhook_sends_${process.pid}`,
    masterKey: 'ab'.repeat(32),
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
  }),
)
