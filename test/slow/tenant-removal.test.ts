/** A tenant whose removal is cut off by kill -9: the process that comes next, or another node, goes on with it. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

async function call(url: string, method: string, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? null : JSON.parse(text) }
}

describe.each([
  ['SQLite', () => join(aDirectory(), 'hooks.db'), {}],
  ['PostgreSQL', () => postgres.url, { OUTHOOK_MASTER_KEY: 'ab'.repeat(32) }],
] as const)('on %s', (_store, database, env) => {
  test('a removal goes on after kill -9 until nothing is left, and touches nobody else', async () => {
    const setup = { database: database(), env }
    const first = await startServer(setup)
    const tenants = await Promise.all(
      ['gone', 'kept'].map(async (uid) => {
        const { id } = (await call(first.url, 'POST', '/v1/tenants', { uid })).json
        const at = (path: string) => `${path}?tenant=${uid}`
        const endpoint = { url: 'http://127.0.0.1:9/', topics: ['*'] }
        await call(first.url, 'POST', at('/v1/endpoints'), endpoint)
        const events = Array.from({ length: 1000 }, (_, n) => ({ topic: 'a', payload: { n } }))
        const { json } = await call(first.url, 'POST', at('/v1/events/batch'), { events })
        return { id: id as string, eventId: json.items[0].event_id as string }
      }),
    )
    const [gone, kept] = tenants as [(typeof tenants)[0], (typeof tenants)[0]]
    expect((await call(first.url, 'DELETE', `/v1/tenants/${gone.id}`)).status).toBe(202)
    first.signal('SIGKILL')
    await first.ended
    const second = await startServer(setup)
    const left = await call(second.url, 'GET', `/v1/tenants/${gone.id}`)
    expect(left.json).toMatchObject({ state: 'deleting' })
    await expect
      .poll(async () => (await call(second.url, 'GET', `/v1/tenants/${gone.id}`)).status, {
        timeout: patienceMs,
        interval: 200,
      })
      .toBe(404)
    expect((await call(second.url, 'GET', `/v1/events/${gone.eventId}`)).status).toBe(404)
    expect((await call(second.url, 'GET', `/v1/events/${kept.eventId}`)).json).toMatchObject({
      id: kept.eventId,
      deliveries: [expect.objectContaining({ event_id: kept.eventId })],
    })
    const listed = (await call(second.url, 'GET', '/v1/endpoints?tenant=kept')).json.items
    expect(listed).toHaveLength(1)
  })
})

test('on PostgreSQL a removal whose node is killed in the middle is taken over by another that runs, and goes on where it was', async () => {
  const setup = { database: postgres.url, env: { OUTHOOK_MASTER_KEY: 'ab'.repeat(32) } }
  const first = await startServer(setup)
  const second = await startServer(setup)
  const make = async (uid: string, batches: number) => {
    const { id } = (await call(first.url, 'POST', '/v1/tenants', { uid })).json
    const at = (path: string) => `${path}?tenant=${uid}`
    for (let n = 0; n < 5; n++)
      await call(first.url, 'POST', at('/v1/endpoints'), { url: 'http://127.0.0.1:9/', topics: ['*'] })
    const events = Array.from({ length: 1000 }, (_, n) => ({ topic: 'a', payload: { n } }))
    for (let n = 0; n < batches; n++) await call(first.url, 'POST', at('/v1/events/batch'), { events })
    return id as string
  }
  const gone = await make('taken-over', 4)
  await make('untouched', 1)
  const removalAt = async (url: string) => {
    const { status, json } = await call(url, 'GET', `/v1/tenants/${gone}`)
    return status === 404 ? null : json
  }
  expect((await call(first.url, 'DELETE', `/v1/tenants/${gone}`)).status).toBe(202)
  let seen = await removalAt(first.url)
  await expect
    .poll(
      async () => {
        seen = await removalAt(first.url)
        return seen === null || seen.removed.deliveries > 0
      },
      { timeout: patienceMs, interval: 20 },
    )
    .toBe(true)
  first.signal('SIGKILL')
  await first.ended
  expect(seen).toMatchObject({ state: 'deleting', removal: { phase: 'removing' } })
  expect(seen.removal.left.deliveries + seen.removed.deliveries).toBe(20_000)
  expect(seen.removal.left.deliveries).toBeGreaterThan(0)
  const later = await removalAt(second.url)
  expect(later.removed.deliveries).toBeGreaterThanOrEqual(seen.removed.deliveries)
  expect(later.removal.left.deliveries).toBeGreaterThan(0)
  await expect.poll(() => removalAt(second.url), { timeout: patienceMs, interval: 100 }).toBeNull()
  const kept = await call(second.url, 'GET', '/v1/endpoints?tenant=untouched')
  expect(kept.json.items).toHaveLength(5)
  const events = await call(second.url, 'GET', '/v1/events?tenant=untouched&limit=200')
  expect(events.json.items).toHaveLength(200)
})
