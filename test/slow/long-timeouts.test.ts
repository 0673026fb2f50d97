/** A receiver that takes longer than the usual lease, whose endpoint has a timeout that is longer still. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { aServer, type ServerOptions } from '../api/a-server.ts'
import { loopback } from '../api/both-stores/sending-scene.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')

/** The usual lease is 17 s then. */
const shortest = { totalTimeout: 2000, headersTimeout: 2000, connectTimeout: 2000 }
const heldMs = 20_000

async function aPostgres(): Promise<ServerOptions['config']> {
  const database = await newest!.start()
  onTestFinished(() => database.stop())
  return { store: `${database.url}?schema=outhook_long_timeouts`, masterKey: 'ab'.repeat(32) }
}

describe('an answer after more than the usual lease', () => {
  test.each([
    ['SQLite', async () => ({})],
    ['PostgreSQL', aPostgres],
  ] as const)('%s: is waited for, and the receiver gets each delivery once', async (_, openStore) => {
    const config = { ...loopback, ...shortest, ...(await openStore()) }
    const server = await aServer({ dispatch: true, config })
    const ids: string[] = []
    const url = await anHttpServer((request, response) => {
      ids.push(String(request.headers['outhook-delivery-id']))
      setTimeout(() => response.writeHead(200).end(), heldMs)
    })
    const endpoint = { url, topics: ['*'], timeout: '30s' }
    const { json } = await server.call('POST', '/v1/endpoints', { body: endpoint })
    const published = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
    // Claimed, where the other is handed off.
    await server.call('PATCH', `/v1/endpoints/${json.id}`, { body: { enabled: false } })
    const parked = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 2 } })
    await server.call('PATCH', `/v1/endpoints/${json.id}`, { body: { enabled: true } })
    const sent = await server.call('POST', '/v1/deliveries', { body: { endpoint_id: json.id, payload: 3 } })
    const all = [...published.json.delivery_ids, ...parked.json.delivery_ids, sent.json.delivery_id]
    await expect
      .poll(
        async () => {
          const shown = all.map((id) => server.call('GET', `/v1/deliveries/${id}`))
          return (await Promise.all(shown)).map((answer) => [answer.json.state, answer.json.attempt_count])
        },
        { timeout: 60_000, interval: 200 },
      )
      .toEqual(all.map(() => ['succeeded', 1]))
    expect([...ids].sort()).toEqual([...all].sort())
  })
})
