/** One event for 10 000 endpoints, whose server is killed while it fans out. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { patienceMs } from '../patience.ts'
import { ask, forEachOf, isDrained, until } from './api-calls.ts'
import { aDirectory, startServer } from './server-process.ts'

const endpoints = 10_000
const kills = 4

/** Counts requests by path. */
async function startCounter() {
  const requests = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.set(path, (requests.get(path) ?? 0) + 1)
    request.resume()
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

interface EventPage {
  readonly state: string
  readonly deliveries: readonly {
    readonly id: string
    readonly state: string
    readonly endpoint_id: string
  }[]
  readonly next_cursor: string
}

async function deliveriesOf(url: string, id: string): Promise<EventPage['deliveries']> {
  const found: EventPage['deliveries'][number][] = []
  let cursor = ''
  do {
    const query = cursor === '' ? '' : `?cursor=${cursor}`
    const page: EventPage = await ask(url, `/v1/events/${id}${query}`)
    found.push(...page.deliveries)
    cursor = page.next_cursor
  } while (cursor !== '')
  return found
}

/** Deliveries of all states: there is no other event. */
async function countMade(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const counts = metrics.matchAll(/^outhook_deliveries\{state="\w+"\} (\d+)$/gm)
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)
}

test(`an event for ${endpoints} endpoints reaches every one of them although its server is killed ${kills} times while it fans out`, {
  timeout: 600_000,
}, async () => {
  const database = join(aDirectory(), 'many.db')
  const counter = await startCounter()
  let server = await startServer({ database })
  const numbers = Array.from({ length: endpoints }, (_, no) => String(no))
  await forEachOf(numbers, 64, async (no) => {
    await ask(server.url, '/v1/endpoints', { body: { url: `${counter.url}/${no}`, topics: ['many'] } })
  })
  const body = { topic: 'many', payload: { n: 1 }, idempotency_key: 'once' }
  const published = await ask(server.url, '/v1/events', { body })
  expect(published).toMatchObject({ state: 'accepted', delivery_ids: [] })
  const id: string = published.id

  const killedAt: number[] = []
  while (killedAt.length < kills) {
    const before = killedAt.at(-1) ?? 0
    await until('more of its deliveries are made', async () => (await countMade(server.url)) > before)
    killedAt.push(await countMade(server.url))
    server.signal('SIGKILL')
    await server.ended
    server = await startServer({ database })
    expect(await ask(server.url, '/v1/events', { body })).toMatchObject({ id, state: 'accepted' })
  }
  expect(killedAt[0]).toBeLessThan(endpoints)
  await until(
    'it is fanned out',
    async () => (await ask(server.url, `/v1/events/${id}`)).state === 'fanned_out',
  )
  await until('all are delivered', () => isDrained(server.url), 10 * patienceMs)

  const deliveries = await deliveriesOf(server.url, id)
  expect(deliveries).toHaveLength(endpoints)
  expect(new Set(deliveries.map((delivery) => delivery.endpoint_id)).size).toBe(endpoints)
  expect(deliveries.every(({ state }) => state === 'succeeded')).toBe(true)
  expect(counter.requests.size).toBe(endpoints)
  const twice = [...counter.requests.values()].filter((count) => count > 1).length
  process.stdout.write(
    `large fan-out: killed at ${killedAt.join(', ')} of ${endpoints}; ${twice} endpoints got it twice\n`,
  )
})
