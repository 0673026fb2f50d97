/** Browsers that are signed in, on a store of any kind; `two` is another server on the same store, or the same one. */
import { describe, expect, test } from 'vitest'
import type { Answer, CallOptions, TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'

const hour = 3_600_000

interface Servers {
  readonly one: TestServer
  readonly two: TestServer
}

export function describeSignIns(open: () => Servers): void {
  const aToken = async (role: string, given: object = {}) => {
    const body = { role, label: `${role} who signs in`, ...given }
    return (await open().one.call('POST', '/v1/admin-tokens', { body })).json
  }
  const cookieOf = ({ headers }: Answer) => headers.get('set-cookie')?.split(';')[0] ?? ''
  const signIn = async (token?: string, headers: Readonly<Record<string, string>> = {}) => {
    const options = { headers, ...(token !== undefined && { token }) }
    const answer = await open().one.call('PUT', '/v1/sign-in', options)
    expect([answer.text, answer.status]).toEqual([answer.text, 201])
    return { answer, cookie: cookieOf(answer), csrf: answer.json.csrf_token as string }
  }
  const withCookie = (cookie: string, headers: Readonly<Record<string, string>> = {}): CallOptions => ({
    token: null,
    headers: { cookie, ...headers },
  })
  const whoami = (cookie: string, server = open().two) => server.call('GET', '/v1/whoami', withCookie(cookie))

  describe('a browser that is signed in', () => {
    test('has a cookie that no script reads and no other site sends, for 12 hours, which another server takes too', async () => {
      const { answer, cookie } = await signIn((await aToken('viewer')).token)
      const [, ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ')
      expect(attributes).toEqual(['Max-Age=43200', 'HttpOnly', 'SameSite=Strict'])
      expect(answer.json).toMatchObject({ role: 'viewer', tenant_id: null })
      const lifeMs = Date.parse(answer.json.expires_at) - Date.now()
      expect(Math.abs(lifeMs - 12 * hour)).toBeLessThan(hour / 60)
      expect((await whoami(cookie)).json).toMatchObject({ role: 'viewer' })
      const shown = await open().two.call('GET', '/v1/sign-in', withCookie(cookie))
      expect(shown.json).toEqual(answer.json)
    })

    test.each([
      ['the proxy says so', { 'x-forwarded-proto': 'https' }],
      ['the first of several proxies says so', { 'x-forwarded-proto': 'https, http' }],
      ['the proxy says so by the standard', { forwarded: 'for=192.0.2.1;proto=https;by=203.0.113.4' }],
      ['the address of the page says so', { origin: 'https://hooks.example.com' }],
    ])('gets a cookie for TLS alone where %s', async (_who, headers) => {
      const { answer } = await signIn(undefined, headers)
      expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/)
    })

    test('may do what the role of its token may, and no more', async () => {
      const { cookie, csrf } = await signIn((await aToken('viewer')).token)
      const options = withCookie(cookie, { 'x-csrf-token': csrf })
      expect((await open().two.call('GET', '/v1/endpoints', options)).status).toBe(200)
      const body = { topic: 'a', payload: 1 }
      expectProblem(await open().two.call('POST', '/v1/events', { ...options, body }), {
        status: 403,
        title: 'insufficient role',
      })
    })

    test('sees the tenant of its token and no other', async () => {
      const { id } = (await open().one.call('POST', '/v1/tenants', { body: { uid: 'signs-in' } })).json
      const { cookie } = await signIn((await aToken('viewer', { tenant_id: id })).token)
      expect((await whoami(cookie)).json.tenant_id).toBe(id)
      expect((await open().two.call('GET', '/v1/endpoints?tenant=default', withCookie(cookie))).status).toBe(
        404,
      )
    })

    test('changes something only with its own X-CSRF-Token', async () => {
      const { cookie, csrf } = await signIn()
      const other = await signIn()
      const publish = (given: Readonly<Record<string, string>>) =>
        open().two.call('POST', '/v1/events', {
          ...withCookie(cookie, { ...given, 'content-type': 'application/json' }),
          body: { topic: 'a', payload: 1 },
        })
      for (const wrong of [{}, { 'x-csrf-token': '' }, { 'x-csrf-token': other.csrf }]) {
        expectProblem(await publish(wrong), { status: 403, title: 'not permitted', detail: 'X-CSRF-Token' })
        expect((await open().two.call('DELETE', '/v1/sign-in', withCookie(cookie, wrong))).status).toBe(403)
      }
      expect((await publish({ 'x-csrf-token': csrf })).status).toBe(202)
    })

    test('is signed out for good, also on the other server, and told to forget the cookie', async () => {
      const { cookie, csrf } = await signIn()
      const { cookie: other } = await signIn()
      expect((await whoami(cookie, open().one)).status).toBe(200)
      const options = withCookie(cookie, { 'x-csrf-token': csrf })
      const ended = await open().one.call('DELETE', '/v1/sign-in', options)
      expect([ended.status, ended.headers.get('set-cookie')]).toEqual([
        204,
        'outhook_sign_in=; Max-Age=0; HttpOnly; SameSite=Strict',
      ])
      for (const server of [open().one, open().two]) {
        expectProblem(await whoami(cookie, server), { status: 401, detail: 'sign in again' })
        expect((await whoami(other, server)).status).toBe(200)
      }
    })

    test('is signed out when its token is revoked', async () => {
      const { id, token } = await aToken('operator')
      const { cookie } = await signIn(token)
      expect((await whoami(cookie, open().one)).status).toBe(200)
      await open().one.call('DELETE', `/v1/admin-tokens/${id}`)
      expect((await whoami(cookie, open().one)).status).toBe(401)
      expect((await whoami(cookie)).status).toBe(401)
    })

    test('is signed out when its token expires', async () => {
      const { token } = await aToken('operator', { expires_in: '2s' })
      const { cookie } = await signIn(token)
      await expect.poll(async () => (await whoami(cookie)).status).toBe(401)
      expect((await open().two.call('GET', '/v1/whoami', { token })).status).toBe(401)
    })

    test('that signs in again has another text, and that of before is good no more', async () => {
      const first = await signIn()
      const again = await signIn(undefined, { cookie: first.cookie })
      expect(again.cookie).not.toBe(first.cookie)
      expect((await whoami(first.cookie)).status).toBe(401)
      expect((await whoami(again.cookie)).status).toBe(200)
    })

    test('cannot be signed in by a producer key, by a cookie, or by a text of somebody’s choice', async () => {
      const { key } = await open().one.producer()
      expect((await open().one.call('PUT', '/v1/sign-in', { token: key })).status).toBe(403)
      const { cookie, csrf } = await signIn()
      const again = withCookie(cookie, { 'x-csrf-token': csrf })
      expectProblem(await open().one.call('PUT', '/v1/sign-in', again), { status: 403, detail: 'Bearer' })
      expect((await whoami(`outhook_sign_in=hksin_${'0'.repeat(64)}`)).status).toBe(401)
      expect((await open().one.call('GET', '/v1/whoami', { token: cookie.split('=')[1] ?? '' })).status).toBe(
        401,
      )
    })

    test('never takes on a text that somebody else has set: whoever signs in gets a new one, and that one ends', async () => {
      const chosen = `outhook_sign_in=hksin_${'1'.repeat(64)}`
      const { cookie } = await signIn(undefined, { cookie: chosen })
      expect(cookie).not.toBe(chosen)
      expect((await whoami(chosen)).status).toBe(401)
      const attacker = await signIn((await aToken('viewer')).token)
      const { cookie: own } = await signIn(undefined, { cookie: attacker.cookie })
      expect(own).not.toBe(attacker.cookie)
      expect((await whoami(attacker.cookie)).status).toBe(401)
      expect((await whoami(own)).json).toMatchObject({ role: 'admin' })
    })

    test('a token that is sent beside the cookie is what counts', async () => {
      const { cookie } = await signIn()
      const viewer = (await aToken('viewer')).token
      const { json } = await open().two.call('GET', '/v1/sign-in', { token: viewer, headers: { cookie } })
      expect(json).toEqual({ role: 'viewer', tenant_id: null, csrf_token: null, expires_at: null })
    })
  })

  describe('a code that signs a browser in', () => {
    const aCode = async (token?: string) => {
      const answer = await open().one.call('PUT', '/v1/sign-in/code', token === undefined ? {} : { token })
      expect([answer.text, answer.status]).toEqual([answer.text, 201])
      return answer.json as { readonly code: string; readonly expires_at: string }
    }
    const exchange = (code: string, server = open().two) => server.call('PUT', '/v1/sign-in', { token: code })

    test('is good for a minute, and gives what the token may that it was made with', async () => {
      const { id } = (await open().one.call('POST', '/v1/tenants', { body: { uid: 'has-a-link' } })).json
      for (const [token, may] of [
        [undefined, { role: 'admin', tenant_id: null }],
        [(await aToken('viewer')).token, { role: 'viewer', tenant_id: null }],
        [(await aToken('operator', { tenant_id: id })).token, { role: 'operator', tenant_id: id }],
      ] as const) {
        const { code, expires_at } = await aCode(token)
        expect(code).toMatch(/^hkonce_[0-9a-f]{64}$/)
        expect(Math.abs(Date.parse(expires_at) - Date.now() - 60_000)).toBeLessThan(30_000)
        const answer = await exchange(code)
        expect(answer.json).toMatchObject(may)
        expect((await whoami(cookieOf(answer))).json).toMatchObject(may)
        expect(answer.text).not.toContain(code)
      }
    })

    test('is good once, on whichever server and however many ask at the same time', async () => {
      const { code } = await aCode()
      const answers = await Promise.all(
        [open().one, open().two, open().one, open().two].map((server) => exchange(code, server)),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401, 401])
      for (const server of [open().one, open().two]) {
        expectProblem(await exchange(code, server), { status: 401, detail: 'signed somebody in already' })
      }
    })

    test('is good for nothing else: neither as a token nor as a cookie', async () => {
      const { code } = await aCode()
      const { one } = open()
      expect((await one.call('GET', '/v1/whoami', { token: code })).status).toBe(401)
      expect((await one.call('GET', '/v1/sign-in', { token: code })).status).toBe(401)
      expect((await one.call('PUT', '/v1/sign-in/code', { token: code })).status).toBe(401)
      expect((await whoami(`outhook_sign_in=${code}`)).status).toBe(401)
      expect((await exchange(code, one)).status).toBe(201)
      // What the exchange has found out is remembered of the code as a code alone.
      expect((await one.call('GET', '/v1/whoami', { token: code })).status).toBe(401)
      expect((await one.call('PUT', '/v1/sign-in/code', { token: code })).status).toBe(401)
      const { cookie } = await signIn()
      expect((await whoami(cookie, one)).status).toBe(200)
      expect((await one.call('GET', '/v1/whoami', { token: cookie.split('=')[1] ?? '' })).status).toBe(401)
    })

    test('is good no more once its token is revoked, and neither is who came by it', async () => {
      const { id, token } = await aToken('admin')
      const [used, unused] = [await aCode(token), await aCode(token)]
      const cookie = cookieOf(await exchange(used.code, open().one))
      expect((await whoami(cookie, open().one)).status).toBe(200)
      await open().one.call('DELETE', `/v1/admin-tokens/${id}`)
      expect((await exchange(unused.code)).status).toBe(401)
      expect((await whoami(cookie, open().one)).status).toBe(401)
    })

    test('is made by nobody who has a cookie or a producer key', async () => {
      const { cookie, csrf } = await signIn()
      const options = withCookie(cookie, { 'x-csrf-token': csrf })
      expectProblem(await open().one.call('PUT', '/v1/sign-in/code', options), {
        status: 403,
        detail: 'Bearer',
      })
      const { key } = await open().one.producer()
      expect((await open().one.call('PUT', '/v1/sign-in/code', { token: key })).status).toBe(403)
    })
  })
}
