import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer } from './a-server.ts'
import { describeTextRule } from './text-rule.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const masterKey = 'ab'.repeat(32)
let schemas = 0
const aStore = (): string => `${server.url}?schema=outhook_text_${process.pid}_${++schemas}`

describeTextRule(() => aServer({ config: { store: aStore(), masterKey } }))

test('what a transaction cannot take is refused, and the transaction goes on and commits the rest', async () => {
  const hooks = await Outhook.open({ store: aStore(), masterKey, dispatch: false })
  onTestFinished(() => hooks.close())
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('create temporary table orders (id text); begin')
  await client.query(`insert into orders values ('o_1')`)
  const deep = 100_000
  const refused = [
    { topic: 'a', payload: { ordering_key: 'a\0b' } },
    { topic: 'a', payload: 1, orderingKey: '\ud800' },
    { topic: 'a\0b', payload: 1 },
    { topic: 'a', payload: 1, idempotencyKey: 'a\0' },
    { topic: 'a', payload: 1, metadata: { a: '\0' } },
    // Only the database finds it too deep.
    { topic: 'a', body: '['.repeat(deep) + ']'.repeat(deep) },
  ] as const
  for (const input of refused) {
    await expect(hooks.publish(input, { client })).rejects.toMatchObject({ status: 400 })
  }
  const many = await hooks.publishMany([...refused, { topic: 'a', payload: '\0\ud800' }], { client })
  expect(many.map(({ status }) => status)).toEqual([...refused.map(() => 'failed'), 'published'])
  await client.query('commit')
  expect((await client.query('select id from orders')).rows).toEqual([{ id: 'o_1' }])
  const [kept, ...others] = (await hooks.events.list()).items
  expect(others).toEqual([])
  expect(Buffer.from(await hooks.events.payload(kept?.id ?? '')).toString()).toBe('"\\u0000\\ud800"')
})
