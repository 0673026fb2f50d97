/** Rows S3.12, S3.13, S3.14 and S3.17 of docs/compatibility.md, and what else a credential of an endpoint promises. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { patienceMs } from '../../patience.ts'
import type { TestServer } from '../a-server.ts'
import { type AskingReceiver, startAskingReceiver } from './an-asking-receiver.ts'
import { aName } from './scene.ts'
import type { ReadableStore } from './secrets-at-rest.ts'
import { loopback } from './sending-scene.ts'

const quickly = { max_attempts: 3, base: '30ms', factor: 1, cap: '30ms', jitter: 'none', retry_on: ['5xx'] }
const secrets = {
  apiKey: 'api-key-secret-0123456789',
  token: 'bearer-token-secret-0123456789',
  password: 'basic-password-sécret 0123',
  headerValue: 'Custom header-value-0123456789',
}

/** What a kind is made of, and the header that a request carries for it. */
const kinds = [
  ['none', {}, 'authorization', undefined],
  ['api_key', { api_key: secrets.apiKey }, 'x-api-key', secrets.apiKey],
  ['api_key', { api_key: secrets.apiKey, header_name: 'X-Shop-Key' }, 'x-shop-key', secrets.apiKey],
  ['bearer', { token: secrets.token }, 'authorization', `Bearer ${secrets.token}`],
  [
    'basic',
    { username: 'shop', password: secrets.password },
    'authorization',
    `Basic ${Buffer.from(`shop:${secrets.password}`).toString('base64')}`,
  ],
  [
    'custom_header',
    { header_name: 'X-Partner', header_value: secrets.headerValue },
    'x-partner',
    secrets.headerValue,
  ],
] as const

export function describeCredentials(newStore: () => ReadableStore): void {
  let store: ReadableStore
  let server: TestServer
  let receiver: AskingReceiver
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    // `/fail…` refuses the first request, `/echo` tells what it was sent.
    receiver = await startAskingReceiver(({ path, headers }, response, earlier) => {
      if (!path.startsWith('/echo')) return path.startsWith('/fail') && earlier === 0 ? 503 : 204
      const sent = String(headers.authorization ?? headers['x-api-key'])
      response.writeHead(422, { 'x-you-sent': sent })
      response.end(JSON.stringify({ error: 'not welcome', sent, bare: sent.split(' ')[1] }))
      return undefined
    })
    store = newStore()
    server = await store.open({
      dispatch: true,
      config: loopback,
      closeWith: (close) => void closing.push(close),
    })
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await receiver?.close()
  })

  const make = async (content: object, given: object = {}) => {
    const body = { name: aName('credential'), kind: 'bearer', ...given, ...content }
    const made = await server.call('POST', '/v1/credentials', { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }
  const deliver = async (path: string, credentialId: string | null, settings: object = {}) => {
    const topic = aName('credential')
    const body = {
      url: receiver.url + path,
      topics: [topic],
      credential_id: credentialId,
      retry_policy: quickly,
      ...settings,
    }
    const made = await server.call('POST', '/v1/endpoints', { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    expect(made.json.credential_id).toBe(credentialId)
    const event = await server.call('POST', '/v1/events', { body: { topic, payload: { id: 1 } } })
    return { endpoint: made.json, topic, id: event.json.delivery_ids[0] as string }
  }
  const shown = async (id: string) => (await server.call('GET', `/v1/deliveries/${id}`)).json
  const until = async (id: string, isSo: (delivery: { state: string; last_error: string }) => boolean) => {
    for (const startedAt = Date.now(); ; ) {
      const delivery = await shown(id)
      if (isSo(delivery)) return delivery
      expect(Date.now() - startedAt, JSON.stringify(delivery)).toBeLessThan(patienceMs)
    }
  }

  describe('S3.12 kinds of credentials', () => {
    test.each(kinds)('%s %o: the request carries it in %s', async (kind, content, header, value) => {
      const { id } = await make(content, { kind })
      const path = `/${aName('kind')}`
      await deliver(path, id)
      const [request] = await receiver.to(path)
      expect(request?.headers[header]).toBe(value)
      expect(request?.headers['webhook-signature'], 'it is signed all the same').toMatch(/^v1,/)
    })

    test('a credential wins over a header of the endpoint that has the same name', async () => {
      const { id } = await make(
        { header_name: 'X-Shop', header_value: 'of-the-credential' },
        { kind: 'custom_header' },
      )
      const path = `/${aName('wins')}`
      await deliver(path, id, { headers: { 'x-shop': 'of-the-endpoint', 'x-other': 'stays' } })
      const [request] = await receiver.to(path)
      expect(request?.headers).toMatchObject({ 'x-shop': 'of-the-credential', 'x-other': 'stays' })
    })

    test('S3.15 a header that looks like a secret is refused with a pointer to credentials', async () => {
      const body = { url: `${receiver.url}/`, headers: { 'X-Api-Key': 'abc' } }
      const { status, json } = await server.call('POST', '/v1/endpoints', { body })
      expect([status, json.detail]).toEqual([422, expect.stringMatching(/x-api-key.*make a credential/)])
    })
  })

  test('S3.13 a credential is resolved when it is sent: a retry carries what it was changed to meanwhile', async () => {
    const { id } = await make({ token: 'the-old-token-0123456789' })
    const path = `/fail-${aName('rotated')}`
    const slowly = { ...quickly, base: '400ms', cap: '400ms' }
    await deliver(path, id, { retry_policy: slowly })
    await receiver.to(path, 1)
    const changed = await server.call('PATCH', `/v1/credentials/${id}`, {
      body: { token: 'the-new-token-0123456789' },
    })
    expect(changed.status).toBe(200)
    const sent = await receiver.to(path, 2)
    expect(sent.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer the-old-token-0123456789',
      'Bearer the-new-token-0123456789',
    ])
  })

  test('under load, while the credential is changed twenty times, no request goes without it or with one that never was', async () => {
    const given = new Set(['load-token-0'])
    const { id } = await make({ token: 'load-token-0' })
    const path = `/${aName('load')}`
    const { topic } = await deliver(path, id)
    const count = 1000
    let published = 1
    const publish = async () => {
      while (published < count) {
        const items = Array.from({ length: 25 }, () => ({ topic, payload: 1 }))
        published += items.length
        await server.engine.publisher.publishMany(
          items.map(() => ({
            tenantId: defaultTenantId,
            topic,
            payload: Buffer.from('1'),
            metadata: null,
            orderingKey: null,
            idempotency: null,
            producerKeyId: null,
            schedule: null,
            traceContext: null,
          })),
        )
      }
    }
    const rotate = async () => {
      for (let turn = 1; turn <= 20; turn++) {
        given.add(`load-token-${turn}`)
        const body = { token: `load-token-${turn}` }
        expect((await server.call('PATCH', `/v1/credentials/${id}`, { body })).status).toBe(200)
      }
    }
    await Promise.all([publish(), rotate()])
    const sent = await receiver.to(path, published)
    const carried = new Set(sent.map(({ headers }) => headers.authorization?.replace('Bearer ', '')))
    expect([...carried].filter((token) => token === undefined || !given.has(token))).toEqual([])
    expect(carried.size).toBeGreaterThan(1)
    await server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
    const after = (await receiver.to(path, published + 1)).at(-1)
    expect(after?.headers.authorization).toBe('Bearer load-token-20')
    expect(after?.headers['outhook-attempt']).toBe('1')
  })

  test('S3.14 G7 without its credential no request is made: the failure is visible, retried, and uses up no attempt', async () => {
    const { id } = await make({ token: secrets.token }, { active: false })
    const path = `/${aName('inactive')}`
    const once = { ...quickly, max_attempts: 1 }
    const delivery = await deliver(path, id, { retry_policy: once })
    const isWaiting = (shown: { last_error: string | null; state: string }) =>
      shown.last_error !== null && shown.state !== 'in_flight'
    const waiting = await until(delivery.id, isWaiting)
    expect(waiting).toMatchObject({
      state: expect.stringMatching(/^(pending|retry_scheduled)$/),
      attempt_count: 0,
      error_class: 'internal',
      last_error: expect.stringMatching(/^no request was made: the credential .* is switched off/),
      next_attempt_at: expect.any(String),
    })
    expect(receiver.asked.filter((request) => request.path === path)).toEqual([])
    await server.call('PATCH', `/v1/credentials/${id}`, { body: { active: true } })
    const [request] = await receiver.to(path)
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${secrets.token}`,
      'outhook-attempt': '1',
    })
    await until(delivery.id, ({ state }) => state === 'succeeded')
  })

  test('S3.14 where a signature takes the header of the credential no request is made, until one of them has another name', async () => {
    const { id } = await make(
      { header_name: 'X-Shop', header_value: 'of-the-credential' },
      { kind: 'custom_header' },
    )
    const path = `/${aName('taken')}`
    const scheme = (header: string) => ({ signing_schemes: [{ type: 'hmac', header }] })
    const { endpoint, id: delivery } = await deliver(path, id, scheme('x-shop'))
    const waiting = await until(delivery, ({ last_error }) => last_error !== null)
    expect(waiting).toMatchObject({ attempt_count: 0, error_class: 'internal' })
    expect(waiting.last_error).toMatch(/^no request was made: the header "x-shop" of its credential is also/)
    expect(receiver.asked.filter((request) => request.path === path)).toEqual([])
    await server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: scheme('x-shop-signature') })
    const [request] = await receiver.to(path)
    expect(request?.headers).toMatchObject({
      'x-shop': 'of-the-credential',
      'x-shop-signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('S3.14 a direct send whose credential was deleted waits, and is not sent without it', async () => {
    const { id } = await make({ token: secrets.token })
    const path = `/fail-${aName('deleted')}`
    const body = {
      url: receiver.url + path,
      payload: 1,
      credential_id: id,
      retry: { ...quickly, base: '300ms', cap: '300ms' },
    }
    const sent = await server.call('POST', '/v1/deliveries', { body })
    expect([sent.text, sent.status]).toEqual([sent.text, 202])
    const [request] = await receiver.to(path, 1)
    expect(request?.headers.authorization).toBe(`Bearer ${secrets.token}`)
    expect((await server.call('DELETE', `/v1/credentials/${id}`)).status).toBe(204)
    const waiting = await until(sent.json.id, ({ last_error }) => /does not exist any more/.test(last_error))
    expect(waiting.state).not.toBe('dead_lettered')
    expect(await receiver.to(path)).toHaveLength(1)
    expect((await server.call('POST', `/v1/deliveries/${sent.json.id}/cancel`, { body: {} })).status).toBe(
      200,
    )
  })

  test('a direct send to an endpoint carries the credential of the endpoint, or the one that it names', async () => {
    const ofEndpoint = await make({ token: 'token-of-the-endpoint' })
    const ofSend = await make({ token: 'token-of-the-send' })
    const path = `/${aName('sends')}`
    const { endpoint } = await deliver(path, ofEndpoint.id)
    await receiver.to(path, 1)
    for (const credential_id of [null, ofSend.id]) {
      const body = { endpoint_id: endpoint.id, payload: 1, credential_id }
      expect((await server.call('POST', '/v1/deliveries', { body })).status).toBe(202)
    }
    const sent = await receiver.to(path, 3)
    expect(sent.slice(1).map(({ headers }) => headers.authorization)).toEqual(
      expect.arrayContaining(['Bearer token-of-the-endpoint', 'Bearer token-of-the-send']),
    )
  })

  test.each(kinds.slice(1, 5))(
    'what a receiver echoes of a credential is not kept: %s %o',
    async (kind, content) => {
      const { id } = await make(content, { kind })
      const path = `/echo-${aName('echo')}`
      const delivery = await deliver(path, id, { headers: {} })
      await receiver.to(path)
      const ended = await until(delivery.id, ({ state }) => state === 'dead_lettered')
      expect(ended.last_error).toContain('not welcome')
      const kept = JSON.stringify([
        ended,
        (await server.call('GET', '/v1/dlq')).json,
        (await server.call('GET', `/v1/deliveries?endpoint_id=${delivery.endpoint.id}`)).json,
      ])
      const { password } = secrets
      const basic = Buffer.from(`shop:${password}`).toString('base64')
      for (const secret of [secrets.apiKey, secrets.token, password, basic])
        expect(kept).not.toContain(secret)
    },
  )

  describe('S3.17 the API of credentials', () => {
    test.each(kinds)('no answer has the secret of %s %o', async (kind, content) => {
      const made = await make(content, { kind, description: 'of a partner' })
      const id = `/v1/credentials/${made.id}`
      const changed = await server.call('PATCH', id, { body: { ...content, description: 'of another' } })
      const answers = [
        made,
        changed.json,
        (await server.call('GET', id)).json,
        (await server.call('GET', '/v1/credentials')).json.items,
        (await server.call('GET', `/v1/credentials?name=${made.name}`)).json.items,
      ]
      for (const secret of Object.values(secrets)) expect(JSON.stringify(answers)).not.toContain(secret)
      expect(changed.json).toMatchObject({ id: made.id, kind, description: 'of another', active: true })
      expect(answers[4]).toEqual([changed.json])
    })

    test.each([
      ['a missing secret', { kind: 'bearer' }, 422, 'token is missing'],
      ['a missing setting', { kind: 'basic', password: 'p' }, 422, 'username is missing'],
      ['a member of another kind', { kind: 'bearer', token: 't', api_key: 'k' }, 422, 'api_key is no member'],
      ['an unknown kind', { kind: 'digest' }, 422, 'kind'],
      ['an unknown member', { kind: 'none', colour: 'red' }, 422, 'colour'],
      [
        'a header that the sender makes',
        { kind: 'custom_header', header_name: 'Content-Length', header_value: '1' },
        422,
        'header_name is set by the sender itself',
      ],
      [
        'a header of two lines',
        { kind: 'custom_header', header_name: 'X-A', header_value: 'a\r\nX-B: b' },
        422,
        'header_value must be visible ASCII',
      ],
      ['a token with a space', { kind: 'bearer', token: 'a b' }, 422, 'token must be visible ASCII'],
      ['a username with a colon', { kind: 'basic', username: 'a:b', password: 'p' }, 422, 'username'],
      ['text that is no text', { kind: 'bearer', token: 7 }, 422, 'token must be'],
    ])('refuses %s', async (_what, content, status, detail) => {
      const body = { name: aName('refused'), ...content }
      const answer = await server.call('POST', '/v1/credentials', { body })
      expect([answer.status === 400 ? 422 : answer.status, answer.json.detail]).toEqual([
        status,
        expect.stringContaining(detail),
      ])
    })

    test('a name that is taken is a conflict, at creation and at a change', async () => {
      const first = await make({ token: 'a' })
      const second = await make({ token: 'b' })
      const body = { name: first.name, kind: 'none' }
      const created = await server.call('POST', '/v1/credentials', { body })
      expect([created.status, created.json.detail]).toEqual([409, expect.stringContaining(first.id)])
      const path = `/v1/credentials/${second.id}`
      expect((await server.call('PATCH', path, { body: { name: first.name } })).status).toBe(409)
      expect((await server.call('PATCH', path, { body: { name: second.name } })).status).toBe(200)
    })

    test('one that endpoints use is not deleted: the answer names them', async () => {
      const { id } = await make({ token: 'a' })
      const { endpoint } = await deliver(`/${aName('used')}`, id)
      const path = `/v1/credentials/${id}`
      const refused = await server.call('DELETE', path)
      expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining(endpoint.id)])
      const freed = await server.call('PATCH', `/v1/endpoints/${endpoint.id}`, {
        body: { credential_id: null },
      })
      expect(freed.json.credential_id).toBeNull()
      expect((await server.call('DELETE', path)).status).toBe(204)
      expect((await server.call('GET', path)).status).toBe(404)
      expect((await server.call('DELETE', path)).status).toBe(404)
    })

    test('a change is refused when somebody else was first', async () => {
      const { id, version } = await make({ token: 'a' })
      const change = (ifMatch: string) =>
        server.call('PATCH', `/v1/credentials/${id}`, {
          body: { description: 'x' },
          headers: { 'if-match': `"${ifMatch}"` },
        })
      expect((await change(version)).status).toBe(200)
      expect((await change(version)).status).toBe(412)
    })

    test('when it was used last is shown', async () => {
      const { id, last_used_at } = await make({ token: 'a' })
      expect(last_used_at).toBeNull()
      await deliver(`/${aName('used-last')}`, id)
      const used = async () => (await server.call('GET', `/v1/credentials/${id}`)).json.last_used_at
      await expect.poll(used, { timeout: patienceMs }).not.toBeNull()
    })

    test('S3.16 another tenant has no such credential', async () => {
      const { id } = await make({ token: 'a' })
      const tenant = (await server.call('POST', '/v1/tenants', { body: { name: aName('tenant') } })).json
      const of = `?tenant=${tenant.id}`
      expect((await server.call('GET', `/v1/credentials/${id}${of}`)).status).toBe(404)
      const body = { url: `${receiver.url}/`, credential_id: id }
      const made = await server.call('POST', `/v1/endpoints${of}`, { body })
      expect([made.status, made.json.detail]).toEqual([422, expect.stringContaining(id)])
      const sent = await server.call('POST', `/v1/deliveries${of}`, { body: { ...body, payload: 1 } })
      expect([sent.status, sent.json.detail]).toEqual([422, expect.stringContaining(id)])
    })
  })

  // The last one: it closes the server.
  test('S3.13 G9 no secret of a credential stands in clear in the store', async () => {
    await server.close()
    const bytes = await store.content()
    expect(bytes.includes('not welcome'), 'the search').toBe(true)
    for (const secret of [
      ...Object.values(secrets),
      'the-old-token-0123456789',
      'the-new-token-0123456789',
    ]) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret).toString('hex'),
      ]) {
        expect(bytes.includes(form), form).toBe(false)
      }
    }
  })
}
