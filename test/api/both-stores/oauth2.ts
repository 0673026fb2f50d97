/** Credentials whose tokens are fetched from a real OAuth2 server that expires, revokes, refuses and hangs. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { patienceMs } from '../../patience.ts'
import type { TestServer } from '../a-server.ts'
import { startHangingServer, startTokenServer, type TokenServer } from './a-token-server.ts'
import { type AskingReceiver, startAskingReceiver } from './an-asking-receiver.ts'
import { aName } from './scene.ts'
import type { ReadableStore } from './secrets-at-rest.ts'
import { loopback } from './sending-scene.ts'

/** A 401 is for good here, so that nothing but a new token saves the delivery. */
const strictly = { max_attempts: 1, base: '20ms', factor: 1, cap: '20ms', jitter: 'none', retry_on: ['503'] }
const clientSecret = 'client-secret-0123456789'

/** @param nodes how many servers share the store: one on SQLite */
export function describeOAuth2(newStore: () => ReadableStore, nodes: 1 | 2): void {
  let store: ReadableStore
  const servers: TestServer[] = []
  let receiver: AskingReceiver
  let tokens: TokenServer
  const seen: string[] = []
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    tokens = await startTokenServer()
    receiver = await startAskingReceiver(({ path, headers }) => {
      const token = (headers.authorization ?? '').replace(/^Bearer /, '')
      if (path.startsWith('/open')) return 204
      if (path.startsWith('/never') || (tokens.endOf(token) ?? 0) < Date.now()) return 401
      seen.push(token)
      return 204
    })
    store = newStore()
    for (let node = 0; node < nodes; node++) {
      const closeWith = (close: () => Promise<void>) => void closing.push(close)
      servers.push(await store.open({ dispatch: true, config: loopback, closeWith }))
    }
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await receiver?.close()
    await tokens?.stop()
  })
  beforeEach(() => {
    tokens.expiresIn = 3600
    tokens.secret = null
  })

  const call: TestServer['call'] = (...args) => (servers[0] as TestServer).call(...args)
  const make = async (given: object = {}) => {
    const body = {
      name: aName('oauth2'),
      kind: 'oauth2_client_credentials',
      token_url: tokens.url,
      client_id: 'shop & co',
      client_secret: clientSecret,
      ...given,
    }
    const made = await call('POST', '/v1/credentials', { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }
  const anEndpoint = async (path: string, credential_id: string | null, retry_policy: object = strictly) => {
    const topic = aName('oauth2')
    const body = { url: receiver.url + path, topics: [topic], credential_id, retry_policy }
    const made = await call('POST', '/v1/endpoints', { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    const publish = async (server = servers[0] as TestServer): Promise<string> => {
      const event = await server.call('POST', '/v1/events', { body: { topic, payload: { id: 1 } } })
      return event.json.delivery_ids[0]
    }
    return { id: made.json.id as string, publish }
  }
  const until = async (id: string, isSo: (delivery: { state: string; last_error: string }) => boolean) => {
    for (const startedAt = Date.now(); ; ) {
      const delivery = (await call('GET', `/v1/deliveries/${id}`)).json
      if (isSo(delivery)) return delivery
      expect(Date.now() - startedAt, JSON.stringify(delivery)).toBeLessThan(patienceMs)
    }
  }
  const succeeded = (id: string) =>
    until(id, ({ state }) => state === 'succeeded' || state === 'dead_lettered')
  const askedFrom = (from: number) => tokens.asked.slice(from)

  test.each([
    [
      'basic',
      { authorization: `Basic ${Buffer.from('shop+%26+co:client-secret-0123456789').toString('base64')}` },
      { grant_type: 'client_credentials', scope: 'orders.write a', audience: 'https://shop.example' },
    ],
    [
      'body',
      { authorization: undefined },
      { client_id: 'shop & co', client_secret: clientSecret, grant_type: 'client_credentials' },
    ],
  ])(
    'a token is asked for with the auth style %s, scope and audience, and sent as bearer',
    async (auth_style, by, form) => {
      const before = tokens.asked.length
      const { id } = await make({ auth_style, scope: 'orders.write a', audience: 'https://shop.example' })
      const path = `/${aName('style')}`
      const endpoint = await anEndpoint(path, id)
      expect(await succeeded(await endpoint.publish())).toMatchObject({
        state: 'succeeded',
        attempt_count: 1,
      })
      expect(askedFrom(before)).toEqual([{ ...by, form: expect.objectContaining(form) }])
      const [request] = await receiver.to(path)
      expect(request?.headers.authorization).toMatch(/^Bearer token-/)
    },
  )

  test('many deliveries at once, from every process, share one token that was asked for once', async () => {
    const before = tokens.asked.length
    const { id } = await make()
    const endpoint = await anEndpoint(`/${aName('shared')}`, id)
    const sent = await Promise.all(
      Array.from({ length: 40 }, (_, index) => endpoint.publish(servers[index % nodes])),
    )
    for (const delivery of sent) expect((await succeeded(delivery)).state).toBe('succeeded')
    expect(askedFrom(before)).toHaveLength(1)
  })

  test('a token is replaced before it ends: a receiver that takes no other sees none that has ended', async () => {
    tokens.expiresIn = 1
    const before = tokens.asked.length
    const { id } = await make()
    const path = `/${aName('expires')}`
    const endpoint = await anEndpoint(path, id, { ...strictly, retry_on: ['5xx'] })
    const sent: string[] = []
    while (tokens.asked.length < before + 4) sent.push(await endpoint.publish())
    for (const delivery of sent) expect((await succeeded(delivery)).state).toBe('succeeded')
    const used = new Set((await receiver.to(path)).map(({ headers }) => headers.authorization))
    expect(used.size).toBeGreaterThanOrEqual(3)
  })

  test('a token that was revoked is replaced on 401: the delivery is saved, and the 401 uses up no attempt', async () => {
    const { id } = await make()
    const path = `/${aName('revoked')}`
    const endpoint = await anEndpoint(path, id)
    expect((await succeeded(await endpoint.publish())).state).toBe('succeeded')
    const before = tokens.asked.length
    tokens.revoke()
    const saved = await succeeded(await endpoint.publish())
    expect(saved).toMatchObject({ state: 'succeeded', attempt_count: 1 })
    expect(askedFrom(before)).toHaveLength(1)
    const requests = await receiver.to(path, 3)
    expect(new Set(requests.map(({ headers }) => headers.authorization)).size).toBe(2)
  })

  test('a receiver that refuses every token is judged by the policy, and few tokens are asked for it', async () => {
    const before = tokens.asked.length
    const { id } = await make()
    const endpoint = await anEndpoint(`/never-${aName('refused')}`, id)
    for (let count = 0; count < 3; count++) {
      expect(await succeeded(await endpoint.publish())).toMatchObject({
        state: 'dead_lettered',
        error_class: 'http_401',
      })
    }
    // The first, one in its place, and one more that the first refusal of that brought about; on each process.
    expect(askedFrom(before).length).toBeLessThanOrEqual(1 + 2 * nodes)
  })

  test('while the token server refuses, nothing is sent without a token; the failure is visible, and ends when the secret is mended', async () => {
    tokens.secret = 'the-right-secret-0123456789'
    const { id } = await make()
    const path = `/${aName('refuses')}`
    const endpoint = await anEndpoint(path, id)
    const delivery = await endpoint.publish()
    const waiting = await until(delivery, ({ last_error }) => last_error !== null)
    expect(waiting).toMatchObject({
      attempt_count: 0,
      error_class: 'internal',
      last_error: expect.stringMatching(
        /no token for the credential .*: it answered HTTP 401 \(invalid_client\)$/,
      ),
    })
    expect(waiting.last_error).not.toContain(clientSecret)
    expect(receiver.asked.filter((request) => request.path === path)).toEqual([])
    const body = { client_secret: tokens.secret }
    expect((await call('PATCH', `/v1/credentials/${id}`, { body })).status).toBe(200)
    expect(await succeeded(delivery)).toMatchObject({ state: 'succeeded', attempt_count: 1 })
  })

  test('a token server that hangs makes only its own deliveries wait', async () => {
    const hanging = await startHangingServer()
    const { id } = await make({ token_url: hanging.url })
    const stuck = await anEndpoint(`/${aName('hangs')}`, id)
    const waiting = await Promise.all(Array.from({ length: 80 }, () => stuck.publish()))
    await expect.poll(() => hanging.requests, { timeout: patienceMs }).toBeGreaterThan(0)
    const healthy = await anEndpoint(`/open-${aName('healthy')}`, null)
    const others = await Promise.all(Array.from({ length: 20 }, () => healthy.publish()))
    for (const delivery of others) expect((await succeeded(delivery)).state).toBe('succeeded')
    const one = (await call('GET', `/v1/deliveries/${waiting[0]}`)).json
    expect(one.state).not.toMatch(/succeeded|dead_lettered/)
    expect(hanging.requests).toBe(1)
    await call('PATCH', `/v1/credentials/${id}`, { body: { token_url: tokens.url } })
    await hanging.close()
    for (const delivery of waiting) expect((await succeeded(delivery)).state).toBe('succeeded')
  })

  test('a credential that is changed on one node counts for what another one sends', async () => {
    const { id } = await make({
      kind: 'bearer',
      token: 'changed-0',
      token_url: undefined,
      client_id: undefined,
      client_secret: undefined,
    })
    const path = `/open-${aName('changed')}`
    const endpoint = await anEndpoint(path, id)
    const other = servers.at(-1) as TestServer
    const last = async () => {
      const before = receiver.asked.filter((request) => request.path === path).length
      expect((await succeeded(await endpoint.publish(other))).state).toBe('succeeded')
      return (await receiver.to(path, before + 1)).at(-1)?.headers.authorization
    }
    expect(await last()).toBe('Bearer changed-0')
    for (let turn = 1; turn <= 3; turn++) {
      const body = { token: `changed-${turn}` }
      expect((await call('PATCH', `/v1/credentials/${id}`, { body })).status).toBe(200)
      await expect.poll(last, { timeout: patienceMs, interval: 5 }).toBe(`Bearer changed-${turn}`)
    }
  })

  test('a test event waits for a token', async () => {
    const { id } = await make()
    const endpoint = await anEndpoint(`/${aName('tested')}`, id)
    const { json } = await call('POST', `/v1/endpoints/${endpoint.id}/test`, { body: {} })
    expect(json).toMatchObject({ succeeded: true, http_status: 204 })
  })

  describe('what is refused', () => {
    test.each([
      ['a token URL in a private network', { token_url: 'http://10.0.0.1/token' }, 'url_rejected'],
      ['a token URL with a password', { token_url: 'http://a:b@127.0.0.1/token' }, 'url_rejected'],
      ['a token URL that is none', { token_url: 'nowhere' }, 'url_rejected'],
      ['another auth style', { auth_style: 'jwt' }, 'invalid_body'],
    ])('%s', async (_what, given, code) => {
      const body = {
        name: aName('refused'),
        kind: 'oauth2_client_credentials',
        token_url: tokens.url,
        client_id: 'a',
        client_secret: 'b',
        ...given,
      }
      const answer = await call('POST', '/v1/credentials', { body })
      expect([answer.json.code, answer.json.detail]).toEqual([code, expect.any(String)])
      const { id } = await make()
      expect((await call('PATCH', `/v1/credentials/${id}`, { body: given })).json.code).toBe(code)
    })
  })

  // The last one: it closes the servers.
  test('neither a token nor a client secret stands in clear in the store', async () => {
    for (const server of servers) await server.close()
    const bytes = await store.content()
    expect(bytes.includes('invalid_client'), 'the search').toBe(true)
    expect(seen.length).toBeGreaterThan(0)
    for (const secret of [clientSecret, ...new Set(seen)]) expect(bytes.includes(secret)).toBe(false)
  })
}
