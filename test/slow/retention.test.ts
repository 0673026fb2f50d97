/** Retention as it runs in servers: once a minute, in one of them at a time. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { aReceiver } from '../delivery/an-app.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, call, deliveriesOf, until } from './api-calls.ts'
import { startServer } from './server-process.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

test('S1.45 two processes remove what is past its time, and nothing that a delivery needs', async () => {
  const schema = `outhook_retention_${process.pid}`
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const { rows } = await client.query<{ key: string }>(text)
    await client.end()
    return rows
  }
  onTestFinished(async () => void (await sql(`drop schema if exists ${schema} cascade`)))
  const ages = ['payloads', 'attempts', 'dead-letters'].flatMap((name) => [`--retain-${name}`, '5s'])
  const flags = ['--master-key', randomBytes(32).toString('hex'), '--idempotency-ttl', '5s', ...ages]
  const database = `${postgres.url}?schema=${schema}`
  const [one, other] = await Promise.all([startServer({ database, flags }), startServer({ database, flags })])
  const receiver = await aReceiver()
  const subscribe = (path: string, topic: string) =>
    ask(one.url, '/v1/endpoints', {
      body: {
        url: `${receiver.url}${path}`,
        topics: [topic],
        retry_policy: { delays: ['75s'], jitter: 'none', max_attempts: 2, retry_on: ['5xx'] },
      },
    })
  await subscribe('/status/400', 'given.up')
  await subscribe('/fail/1', 'tried.again')
  const publish = (url: string, topic: string) =>
    ask(url, '/v1/events', { body: { topic, payload: { topic } }, headers: { 'idempotency-key': topic } })
  const [givenUp, triedAgain] = await Promise.all([
    publish(one.url, 'given.up'),
    publish(other.url, 'tried.again'),
  ])

  const isTrimmed = async () => {
    const [delivery] = await deliveriesOf(other.url, givenUp.id)
    return delivery?.state === 'dead_lettered' && delivery.attempts.length === 0
  }
  await until('retention at work', isTrimmed, 90_000)
  const replay = await call(other.url, `/v1/dlq/${givenUp.delivery_ids[0]}/replay`, { method: 'POST' })
  expect(replay).toMatchObject({ status: 410, json: { title: 'expired' } })
  expect(await sql(`select key from ${schema}.idempotency_keys`)).toEqual([])

  const isDelivered = async () => (await deliveriesOf(one.url, triedAgain.id))[0]?.state === 'succeeded'
  await until('the retry', isDelivered, 60_000)
  const bodies = receiver.received.filter((request) => request.eventId === triedAgain.id)
  expect(bodies.map((request) => Buffer.from(request.body).toString())).toEqual([
    '{"topic":"tried.again"}',
    '{"topic":"tried.again"}',
  ])
}, 240_000)
