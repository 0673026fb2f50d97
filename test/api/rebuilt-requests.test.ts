/** What a delivery tells of its requests: not kept, but built again. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { patienceMs } from '../patience.ts'
import { aServer } from './a-server.ts'

const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

async function aReceiver() {
  const received: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    received.push(request.headers)
    request.resume().on('end', () => response.end('ok'))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

test('a delivery tells what was sent, rebuilt: the very headers, and nothing of its secrets', async () => {
  const { url, received } = await aReceiver()
  const server = await aServer({ config: loopback, dispatch: true })
  const { json: endpoint } = await server.call('POST', '/v1/endpoints', {
    body: { url, topics: ['a'], headers: { 'x-region': 'eu' } },
  })
  const event = await server.call('POST', '/v1/events', {
    body: { topic: 'a', payload: { n: 1 }, metadata: { source: 'shop' } },
  })
  const delivery = () => server.call('GET', `/v1/deliveries/${event.json.delivery_ids[0]}`)
  await vi.waitFor(async () => expect((await delivery()).json.state).toBe('succeeded'), {
    timeout: patienceMs,
  })
  const ofConnection = ['host', 'connection', 'content-length']
  const sent = Object.entries(received[0] ?? {}).filter(([name]) => !ofConnection.includes(name))
  const { rebuilt_request: rebuilt } = (await delivery()).json.attempts[0]
  const shown = rebuilt.headers.map((one: { readonly name: string; readonly value: string }) => [
    one.name,
    one.value,
  ])
  // The second of the signature may have begun just after that of the attempt.
  const isOfTime = ([name]: readonly string[]) => name === 'webhook-timestamp' || name === 'webhook-signature'
  const others = (all: readonly string[][]) => all.filter((one) => !isOfTime(one)).toSorted()
  expect(others(shown)).toEqual(others(sent as string[][]))
  expect(shown.filter(isOfTime)).toHaveLength(2)
  expect(Math.abs(timeIn(shown) - timeIn(sent as string[][]))).toBeLessThanOrEqual(1)
  if (timeIn(shown) === timeIn(sent as string[][])) expect(shown.toSorted()).toEqual(sent.toSorted())
  expect(rebuilt).toMatchObject({
    method: 'POST',
    url: new URL(endpoint.url).origin,
    authorized: false,
    changed_since: false,
  })
  expect(JSON.stringify(rebuilt)).not.toContain(endpoint.secret)

  // A secret that is rotated signs otherwise, and leaves the endpoint as it was.
  await server.call('POST', `/v1/endpoints/${endpoint.id}/rotate-secret`, { body: { grace: 0 } })
  expect((await delivery()).json.attempts[0].rebuilt_request.changed_since).toBe(true)
  await server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: { headers: { 'x-region': 'us' } } })
  await vi.waitFor(
    async () => {
      const { rebuilt_request: later } = (await delivery()).json.attempts[0]
      expect([later.changed_since, JSON.stringify(later.headers)]).toEqual([
        true,
        expect.stringContaining('"us"'),
      ])
    },
    { timeout: patienceMs },
  )
  await server.call('DELETE', `/v1/events/${event.json.id}/payload`)
  const { rebuilt_request: unsigned } = (await delivery()).json.attempts[0]
  expect(unsigned.headers.some((one: { readonly name: string }) => one.name === 'webhook-signature')).toBe(
    false,
  )
})

function timeIn(headers: readonly (readonly string[])[]): number {
  return Number(headers.find(([name]) => name === 'webhook-timestamp')?.[1])
}
