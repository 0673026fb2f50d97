/** Expunging a payload over HTTP, on a store of any kind. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import type { TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'
import type { OpenServer } from './hookrail-rows.ts'

export const secretPart = 'Erika-Mustermann-1964'
const body = { topic: 'users.created', payload: { name: secretPart } }
const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

/** A receiver that repeats what it gets in its body and its headers, with the status of the path, or holds it back. */
async function anEcho() {
  const held: (() => void)[] = []
  const server = createServer(async (request, response) => {
    const bytes = await buffer(request)
    const status = Number(request.url?.slice(1))
    const answer = () => response.writeHead(status || 200, { 'x-got': bytes.toString() }).end(bytes)
    if (Number.isNaN(status)) held.push(answer)
    else answer()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, held }
}

const publish = async (server: TestServer): Promise<string> =>
  (await server.call('POST', '/v1/events', { body })).json.id
const addEndpoint = (server: TestServer, url: string, members: object = {}) =>
  server.call('POST', '/v1/endpoints', { body: { url, topics: ['*'], ...members } })
const expunge = (server: TestServer, id: string, query = '') =>
  server.call('DELETE', `/v1/events/${id}/payload${query}`)
const deliveriesOf = async (server: TestServer, id: string) =>
  (await server.call('GET', `/v1/events/${id}`)).json.deliveries as { id: string; state: string }[]

/** Of the event everything that the API shows. */
async function shownOf(server: TestServer, id: string): Promise<string> {
  const deliveries = await deliveriesOf(server, id)
  const parts = [`/v1/events/${id}`, ...deliveries.map((each) => `/v1/deliveries/${each.id}`)]
  return (await Promise.all(parts.map(async (path) => (await server.call('GET', path)).text))).join('\n')
}

/** Waits until it has ended. */
async function jobOf(server: TestServer, path: string, filter: object) {
  let job = (await server.call('POST', path, { body: filter })).json
  while (job.state === 'queued' || job.state === 'running') {
    await server.engine.ping()
    job = (await server.call('GET', `/v1/jobs/${job.id}`)).json
  }
  return job
}

export function describeExpunging(newStore: () => OpenServer): void {
  describe('DELETE /v1/events/{id}/payload', () => {
    test('takes payload and answers away, says so wherever the event is shown, and nothing sends it again', async () => {
      const server = await newStore()({ dispatch: true, config })
      const { url } = await anEcho()
      await addEndpoint(server, `${url}/200`)
      await addEndpoint(server, `${url}/400`)
      const id = await publish(server)
      await server.engine.events.wait(defaultTenantId, id)
      expect(await shownOf(server, id)).toContain(secretPart)

      const expunged = await expunge(server, id)
      expect(expunged).toMatchObject({ status: 200, json: { event_id: id, cancelled: 0 } })
      const at = expunged.json.expunged_at
      expect(await shownOf(server, id)).not.toContain(secretPart)
      const { json: event } = await server.call('GET', `/v1/events/${id}`)
      expect(event).toMatchObject({ expunged_at: at, state: 'fanned_out' })
      expect(event.deliveries.map(({ state }: { state: string }) => state).sort()).toEqual([
        'dead_lettered',
        'succeeded',
      ])
      const listed = (await server.call('GET', '/v1/events')).json.items[0]
      expect(listed).toMatchObject({ id, expunged_at: at })

      const gone = {
        status: 410,
        title: 'expired',
        detail: new RegExp(`payload was expunged on demand at ${at}`),
      }
      expectProblem(await server.call('GET', `/v1/events/${id}/payload`), gone)
      for (const { id: deliveryId, state } of event.deliveries) {
        expectProblem(await server.call('POST', `/v1/deliveries/${deliveryId}/resend`), gone)
        if (state !== 'dead_lettered') continue
        expectProblem(await server.call('POST', `/v1/dlq/${deliveryId}/replay`), gone)
      }
      expect(await jobOf(server, '/v1/dlq/replay', { all: true })).toMatchObject({ done: 0, skipped: 1 })
      const later = (await addEndpoint(server, `${url}/200?later`)).json
      const since = new Date(Date.parse(event.created_at) - 1000).toISOString()
      expect(await jobOf(server, `/v1/endpoints/${later.id}/backfill`, { since })).toMatchObject({
        done: 0,
        skipped: 1,
      })

      const again = await expunge(server, id)
      expect(again).toMatchObject({ status: 200, json: { expunged_at: at, cancelled: 0 } })
    })

    test('is refused while a delivery waits, and cancels it with cancel=true', async () => {
      const server = await newStore()({ dispatch: true, config })
      const { url } = await anEcho()
      const retry_policy = { max_attempts: 2, delays: ['1h'], jitter: 'none', retry_on: ['5xx'] }
      await addEndpoint(server, `${url}/500`, { retry_policy })
      const id = await publish(server)
      while ((await deliveriesOf(server, id))[0]?.state !== 'retry_scheduled') await server.engine.ping()
      const refused = { status: 409, title: 'conflict', detail: /1 of its deliveries .* cancel=true/ }
      expectProblem(await expunge(server, id), refused)
      expectProblem(await expunge(server, id, '?cancel=false'), refused)
      expect((await server.call('GET', `/v1/events/${id}/payload`)).text).toContain(secretPart)
      expect(await shownOf(server, id)).toContain('"expunged_at":null')

      expect(await expunge(server, id, '?cancel=true')).toMatchObject({ status: 200, json: { cancelled: 1 } })
      expect(await deliveriesOf(server, id)).toMatchObject([{ state: 'cancelled' }])
      expect(await shownOf(server, id)).not.toContain(secretPart)
    })

    test('is refused while an attempt is under way, whatever is said, and cancels nothing', async () => {
      const server = await newStore()({ dispatch: true, config })
      const { url, held } = await anEcho()
      await addEndpoint(server, `${url}/hold`)
      const disabled = (await addEndpoint(server, `${url}/200`)).json
      await server.call('PATCH', `/v1/endpoints/${disabled.id}`, { body: { enabled: false } })
      const id = await publish(server)
      while (held.length === 0) await server.engine.ping()
      for (const query of ['', '?cancel=true']) {
        expectProblem(await expunge(server, id, query), { status: 409, detail: /attempt .* is under way/ })
      }
      const states = async () => (await deliveriesOf(server, id)).map(({ state }) => state).sort()
      expect(await states()).toEqual(['in_flight', 'pending'])
      held[0]?.()
      while ((await states()).includes('in_flight')) await server.engine.ping()
      expect(await expunge(server, id, '?cancel=true')).toMatchObject({ status: 200, json: { cancelled: 1 } })
      expect(await states()).toEqual(['cancelled', 'succeeded'])
    })

    test('takes the headers of a direct send away with its payload', async () => {
      const server = await newStore()({ dispatch: true, config })
      const { url } = await anEcho()
      const send = { url: `${url}/200`, headers: { 'x-person': secretPart }, payload: { name: secretPart } }
      const { status, json } = await server.call('POST', '/v1/deliveries', { body: send })
      expect(status).toBe(202)
      const id = json.event_id
      while ((await deliveriesOf(server, id))[0]?.state !== 'succeeded') await server.engine.ping()
      expect(await shownOf(server, id)).toContain(`"x-person":"${secretPart}"`)
      expect((await expunge(server, id)).status).toBe(200)
      const shown = await shownOf(server, id)
      expect(shown).not.toContain(secretPart)
      expect(shown).toContain(`"url":"${url}/200"`)
    })

    test('finds only events of the tenant, wants a role of admin, and takes nothing but cancel', async () => {
      const server = await newStore()({ config })
      const id = await publish(server)
      await server.call('POST', '/v1/tenants', { body: { uid: 'acme' } })
      expectProblem(await expunge(server, id, '?tenant=acme'), { status: 404, title: 'event not found' })
      expectProblem(await expunge(server, 'evt_nonsense'), { status: 404, title: 'event not found' })
      for (const query of ['?cancel=yes', '?cancel=', '?force=true']) {
        expect([query, (await expunge(server, id, query)).status]).toEqual([query, 400])
      }
      const operator = (
        await server.call('POST', '/v1/admin-tokens', { body: { role: 'operator', label: 'o' } })
      ).json
      const { key } = await server.producer()
      for (const token of [operator.token, key]) {
        const { status } = await server.call('DELETE', `/v1/events/${id}/payload`, { token })
        expect(status).toBe(403)
      }
      expect((await server.call('GET', `/v1/events/${id}/payload`)).text).toContain(secretPart)
    })
  })
}
