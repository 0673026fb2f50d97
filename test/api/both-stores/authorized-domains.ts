/** S4.5: what a tenant may send to, with servers on a store of any kind. Names below `localhost` need no name server. */
import { describe, expect, test } from 'vitest'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

interface Row {
  readonly domains: readonly string[] | null
  readonly host: string
  readonly passes: boolean
}

const rows: readonly Row[] = [
  { domains: ['shop.localhost'], host: 'shop.localhost', passes: true },
  { domains: ['shop.localhost'], host: 'SHOP.LocalHost', passes: true },
  { domains: ['  Shop.LOCALHOST. '], host: 'shop.localhost', passes: true },
  { domains: ['shop.localhost'], host: 'shop.localhost.', passes: true },
  { domains: ['shop.localhost'], host: 'a.shop.localhost', passes: true },
  { domains: ['shop.localhost'], host: 'a.b.c.Shop.localhost', passes: true },
  { domains: ['bücher.localhost'], host: 'xn--bcher-kva.localhost', passes: true },
  { domains: ['xn--bcher-kva.localhost'], host: 'b%C3%BCcher.localhost', passes: true },
  { domains: ['other.test', 'shop.localhost'], host: 'shop.localhost', passes: true },
  { domains: ['127.0.0.1'], host: '127.0.0.1', passes: true },
  { domains: ['127.0.0.1'], host: '0x7f.1', passes: true },
  { domains: [], host: 'anything.localhost', passes: true },
  { domains: null, host: 'anything.localhost', passes: true },
  { domains: ['shop.localhost'], host: 'evilshop.localhost', passes: false },
  { domains: ['shop.localhost'], host: 'shop.localhost.evil.localhost', passes: false },
  { domains: ['shop.localhost'], host: 'shop-localhost.localhost', passes: false },
  { domains: ['shop.localhost'], host: 'localhost', passes: false },
  { domains: ['shop.localhost'], host: 'hop.localhost', passes: false },
  { domains: ['shop.localhost'], host: 'xshop.localhost', passes: false },
  { domains: ['shop.localhost'], host: '127.0.0.1', passes: false },
  { domains: ['a.shop.localhost'], host: 'shop.localhost', passes: false },
  { domains: ['127.0.0.1'], host: '127.0.0.2', passes: false },
  { domains: ['127.0.0.1'], host: 'localhost', passes: false },
  { domains: ['other.test'], host: 'shop.localhost', passes: false },
]

const refused = { status: 422, code: 'url_rejected', detail: /^Domain not authorized: / } as const

async function aTenant(server: TestServer, domains: readonly string[] | null = null): Promise<string> {
  const uid = aName('domains')
  const body = { uid, settings: { authorized_domains: domains } }
  const made = await server.call('POST', '/v1/tenants', { body })
  expect([made.text, made.status]).toEqual([made.text, 201])
  return uid
}

async function setDomains(server: TestServer, uid: string, domains: readonly string[] | null) {
  const { json } = await server.call('GET', `/v1/tenants?uid=${uid}`)
  const path = `/v1/tenants/${json.items[0].id}`
  const body = { settings: { authorized_domains: domains } }
  expect((await server.call('PATCH', path, { body })).status).toBe(200)
}

export function describeAuthorizedDomains(scene: SendingScene): void {
  const post = (path: string, uid: string, body: object) =>
    scene.server.call('POST', `${path}?tenant=${uid}`, { body })
  const shownOf = async (id: string, uid: string) =>
    (await scene.server.call('GET', `/v1/deliveries/${id}?tenant=${uid}`)).json
  const endOf = async (id: string, uid: string) => {
    await scene.attempted(id)
    return shownOf(id, uid)
  }
  const arrivedFor = (id: string) => scene.receiver.received.filter(({ deliveryId }) => deliveryId === id)
  const failed = {
    state: 'dead_lettered',
    attempt_count: 1,
    last_http_status: null,
    error_class: 'policy',
    last_error: expect.stringMatching(/^Domain not authorized: 127\.0\.0\.1 /),
  }

  describe('S4.5 authorized domains of a tenant', () => {
    test.each(rows)('with $domains a URL at $host passes: $passes', async ({ domains, host, passes }) => {
      const uid = await aTenant(scene.server, domains)
      const { port } = new URL(scene.receiver.url)
      const url = `http://${host}:${port}/hook`
      const answers = [
        await post('/v1/endpoints', uid, { url }),
        await post('/v1/deliveries', uid, { url, delay: '1h' }),
      ]
      for (const answer of answers) {
        if (passes) expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
        else expectProblem(answer, refused)
      }
    })

    test('hold for a changed URL, for an upsert, and not for other tenants', async () => {
      const { server } = scene
      const [uid, other] = [await aTenant(server, ['shop.localhost']), await aTenant(server)]
      const kept = await post('/v1/endpoints', uid, { url: 'http://shop.localhost/', uid: 'kept' })
      const url = 'http://evilshop.localhost/'
      const path = `/v1/endpoints/${kept.json.id}?tenant=${uid}`
      expectProblem(await server.call('PATCH', path, { body: { url } }), refused)
      expectProblem(await post('/v1/endpoints', uid, { url, uid: 'kept' }), refused)
      expect((await server.call('GET', path)).json.url).toBe('http://shop.localhost/')
      expect((await post('/v1/endpoints', other, { url })).status).toBe(201)
      expect((await server.call('POST', '/v1/endpoints', { body: { url } })).status).toBe(201)
    })

    test('hold at each attempt: what is no longer authorized fails for good, without a socket, and is seen', async () => {
      const { server, receiver } = scene
      const uid = await aTenant(server)
      const made = await post('/v1/endpoints', uid, { url: receiver.url, topics: ['*'] })
      await setDomains(server, uid, ['shop.localhost'])
      const event = await post('/v1/events', uid, { topic: 'a', payload: 1 })
      const [id] = event.json.delivery_ids
      expect(await endOf(id, uid)).toMatchObject(failed)
      expect(arrivedFor(id)).toEqual([])
      const tested = await post(`/v1/endpoints/${made.json.id}/test`, uid, {})
      expect(tested.json).toMatchObject({ succeeded: false, error_class: 'policy', http_status: null })
      expect(tested.json.error).toMatch(/^Domain not authorized: /)
      const shown = (await server.call('GET', `/v1/endpoints/${made.json.id}?tenant=${uid}`)).json
      expect(shown).toMatchObject({ enabled: true })

      await setDomains(server, uid, ['127.0.0.1'])
      expect((await post(`/v1/dlq/${id}/replay`, uid, {})).status).toBeLessThan(300)
      expect(await scene.arrived(id)).toHaveLength(1)
    })

    test('hold for direct sends, to a URL and to an endpoint, when they are accepted and at the attempt', async () => {
      const { server, receiver } = scene
      const uid = await aTenant(server)
      const endpoint = (await post('/v1/endpoints', uid, { url: receiver.url })).json
      const sends = [{ url: receiver.url }, { endpoint_id: endpoint.id }]
      const ids: string[] = []
      for (const to of sends) ids.push((await post('/v1/deliveries', uid, { ...to, delay: '1s' })).json.id)
      await setDomains(server, uid, ['shop.localhost'])
      for (const to of sends) expectProblem(await post('/v1/deliveries', uid, to), refused)
      for (const id of ids) {
        expect(await endOf(id, uid)).toMatchObject(failed)
        expect(arrivedFor(id)).toEqual([])
      }
    })

    test('do not take back the answer of an idempotency key', async () => {
      const { server, receiver } = scene
      const uid = await aTenant(server)
      const headers = { 'idempotency-key': aName('key') }
      const send = () =>
        server.call('POST', `/v1/deliveries?tenant=${uid}`, { body: { url: receiver.url }, headers })
      const first = await send()
      await scene.arrived(first.json.id)
      await setDomains(server, uid, ['shop.localhost'])
      expect((await send()).json.id).toBe(first.json.id)
    })

    test('hold for what waits in memory when they change', async () => {
      const { server, receiver } = scene
      const uid = await aTenant(server)
      const url = `${receiver.url}/slow?ms=300`
      await post('/v1/endpoints', uid, { url, topics: ['*'], max_in_flight: 1 })
      const events = Array.from({ length: 6 }, (_, payload) => ({ topic: 'a', payload }))
      const { items } = (await post('/v1/events/batch', uid, { events })).json
      const ids: string[] = items.flatMap((item: { delivery_ids: string[] }) => item.delivery_ids)
      expect(ids).toHaveLength(6)
      await scene.arrived(ids[0] as string)
      await setDomains(server, uid, ['shop.localhost'])
      const ends = []
      for (const id of ids) ends.push((await endOf(id, uid)).state)
      expect(ends.slice(0, 1)).toEqual(['succeeded'])
      expect(ends.at(-1)).toBe('dead_lettered')
      expect(ends.filter((state) => state === 'dead_lettered').length).toBeGreaterThanOrEqual(4)
    })

    test('hold for the token server of a credential, when it is given and when a token is asked for', async () => {
      const { server, receiver } = scene
      const uid = await aTenant(server)
      const path = `/${aName('token')}`
      const token_url = `http://tokens.localhost:${receiver.port}${path}`
      const given = { kind: 'oauth2_client_credentials', token_url, client_id: 'a', client_secret: 'bbbb' }
      const { json } = await post('/v1/credentials', uid, { name: aName('oauth2'), ...given })
      await post('/v1/endpoints', uid, { url: receiver.url, topics: ['*'], credential_id: json.id })
      await setDomains(server, uid, ['127.0.0.1'])
      expectProblem(await post('/v1/credentials', uid, { name: aName('oauth2'), ...given }), refused)
      const event = await post('/v1/events', uid, { topic: 'a', payload: 1 })
      const [id] = event.json.delivery_ids
      const [attempt] = await scene.attempted(id)
      expect(attempt).toMatchObject({
        state: 'retry_scheduled',
        errorClass: 'internal',
        error: expect.stringContaining('Domain not authorized: tokens.localhost '),
      })
      expect(receiver.received.filter((each) => each.path === path)).toEqual([])
      expect(arrivedFor(id)).toEqual([])
    })

    test('are not left by a redirect', async () => {
      const { receiver, server } = scene
      const uid = await aTenant(server, ['127.0.0.1'])
      const url = `${receiver.url}/redirect`
      await post('/v1/endpoints', uid, { url, topics: ['*'] })
      const event = await post('/v1/events', uid, { topic: 'a', payload: 1 })
      const shown = await endOf(event.json.delivery_ids[0], uid)
      expect(shown).toMatchObject({ state: 'dead_lettered', error_class: 'redirect_rejected' })
      expect(arrivedFor(shown.id)).toHaveLength(1)
    })

    test.each([
      [['*.example.com'], 'settings.authorized_domains[0] must be a host such as "example.com"'],
      [['a.test', 'https://example.com'], 'settings.authorized_domains[1] must be a host'],
      [['example.com/x'], 'settings.authorized_domains[0] must be a host'],
      [['example.com:443'], 'settings.authorized_domains[0] must be a host'],
      [['user@example.com'], 'settings.authorized_domains[0] must be a host'],
      [['.example.com'], 'settings.authorized_domains[0] must be a host'],
      [[' '], 'settings.authorized_domains[0] must be a host'],
      [['a'.repeat(254)], 'settings.authorized_domains[0] must be'],
      [Array.from({ length: 101 }, (_, at) => `a${at}.test`), 'settings.authorized_domains must'],
    ])('%j is refused', async (domains, detail) => {
      const body = { settings: { authorized_domains: domains } }
      expectProblem(await scene.server.call('POST', '/v1/tenants', { body }), { status: 422, detail })
    })

    test('are shown as they are compared, once each, and taken back by null and by an empty list', async () => {
      const { server } = scene
      const uid = await aTenant(server, ['B.test', 'bücher.example', ' b.test.', '127.1', '[::0001]'])
      const shown = async () =>
        (await server.call('GET', `/v1/tenants?uid=${uid}`)).json.items[0].settings.authorized_domains
      expect(await shown()).toEqual(['b.test', 'xn--bcher-kva.example', '127.0.0.1', '::1'])
      for (const nothing of [null, []]) {
        await setDomains(server, uid, ['b.test'])
        await setDomains(server, uid, nothing)
        expect(await shown()).toEqual([])
      }
    })
  })
}
