import { describe, expect, test } from 'vitest'
import type { Authentication } from '../../src/engine/authentication.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const event = { topic: 'a.b', payload: { x: 1 } }

describe('producer keys and admin tokens', () => {
  test('a key that is made over the API publishes, and never again after it is revoked', async () => {
    const server = await aServer()
    const made = await server.call('POST', '/v1/keys', { body: { name: 'shop' } })
    expect(made.status).toBe(201)
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { id, key } = made.json
    expect(key).toMatch(/^hk_[0-9a-f]{48}$/)
    expect((await server.call('POST', '/v1/events', { token: key, body: event })).status).toBe(202)

    expect((await server.call('DELETE', `/v1/keys/${id}`)).status).toBe(204)
    const refused = await server.call('POST', '/v1/events', { token: key, body: event })
    expectProblem(refused, {
      status: 401,
      title: 'invalid credentials',
      detail: 'unknown or revoked producer key',
    })
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    expect((await server.call('DELETE', `/v1/keys/${id}`)).status).toBe(204)
  })

  test('lists of keys never show their text', async () => {
    const server = await aServer()
    const { id, key } = await server.producer('shop')
    const { json, text } = await server.call('GET', '/v1/keys?kind=producer')
    expect(json.items).toMatchObject([{ id, name: 'shop', kind: 'producer', revoked_at: null }])
    expect(text).not.toContain(key)
  })

  test('an admin token that is made over the API opens admin and producer routes', async () => {
    const server = await aServer()
    const { json } = await server.call('POST', '/v1/keys', { body: { name: 'ops', kind: 'admin' } })
    expect(json.key).toMatch(/^hkadm_[0-9a-f]{48}$/)
    expect((await server.call('GET', '/v1/keys', { token: json.key })).status).toBe(200)
    expect((await server.call('POST', '/v1/events', { token: json.key, body: event })).status).toBe(202)
    expect((await server.call('GET', '/v1/whoami', { token: json.key })).json).toMatchObject({
      role: 'admin',
      key_id: json.id,
    })
  })

  test('a producer reads the events of its own key and no others', async () => {
    const server = await aServer()
    const [mine, other] = [await server.producer('mine'), await server.producer('other')]
    const { json } = await server.call('POST', '/v1/events', { token: mine.key, body: event })
    for (const path of [`/v1/events/${json.id}`, `/v1/events/${json.id}/payload`]) {
      expect((await server.call('GET', path, { token: mine.key })).status).toBe(200)
      expect((await server.call('GET', path)).status).toBe(200)
      expectProblem(await server.call('GET', path, { token: other.key }), {
        status: 404,
        title: 'event not found',
      })
    }
  })
})

describe('looking keys up', () => {
  const countLookUps = async (keyCacheMs: number) => {
    let lookUps = 0
    const server = await aServer({
      keyCacheMs,
      wrapEngine: (engine) => ({
        ...engine,
        authentication: {
          authenticate: (tokens: readonly string[]) => {
            lookUps++
            return engine.authentication.authenticate(tokens)
          },
        } as unknown as Authentication,
      }),
    })
    const { key } = await server.producer()
    const whoami = (token: string) => server.call('GET', '/v1/whoami', { token })
    return { server, key, whoami, lookUps: () => lookUps }
  }

  test('a known key is looked up once, an unknown one every time', async () => {
    const { key, whoami, lookUps } = await countLookUps(5_000)
    for (let times = 0; times < 3; times++) expect((await whoami(key)).status).toBe(200)
    expect(lookUps()).toBe(1)
    for (let times = 0; times < 3; times++) expect((await whoami('hk_x')).status).toBe(401)
    expect(lookUps()).toBe(4)
  })

  test('the same key at the same time is looked up once', async () => {
    const { key, whoami, lookUps } = await countLookUps(5_000)
    const answers = await Promise.all(Array.from({ length: 8 }, () => whoami(key)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(lookUps()).toBeLessThan(8)
  })

  test('while the store is down a key is neither right nor wrong: 503, and the configured token still works', async () => {
    const { server, key, whoami } = await countLookUps(0)
    server.setStoreDown(true)
    for (const token of [key, 'hk_x']) {
      const answer = await whoami(token)
      expectProblem(answer, { status: 503, title: 'not ready', detail: 'could not verify credentials' })
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect((await server.call('GET', '/v1/whoami')).status).toBe(200)
    expectProblem(await server.call('GET', '/v1/keys', { token: key }), { status: 503 })
  })

  test('a look-up that was under way when its key was revoked is not remembered', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>()
    let first = true
    const server = await aServer({
      wrapEngine: (engine) => ({
        ...engine,
        authentication: {
          async authenticate(tokens: readonly string[]) {
            const found = await engine.authentication.authenticate(tokens)
            if (first) {
              first = false
              ask()
              await mayAnswer
            }
            return found
          },
        } as unknown as Authentication,
      }),
    })
    const { id, key } = await server.producer()
    const early = server.call('GET', '/v1/whoami', { token: key })
    await asked
    expect((await server.call('DELETE', `/v1/keys/${id}`)).status).toBe(204)
    answer()
    await early
    expect((await server.call('GET', '/v1/whoami', { token: key })).status).toBe(401)
  })
})
