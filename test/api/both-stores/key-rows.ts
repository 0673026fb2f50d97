/** Rows of docs/compatibility.md on producer keys and admin tokens. */
import { describe, expect, test } from 'vitest'
import type { Answer, CallOptions } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import type { OpenScene } from './scene.ts'

export function describeKeyRows(open: OpenScene): void {
  const post = (path: string, body: unknown, options: CallOptions = {}) =>
    open().one.call('POST', path, { body, ...options })
  const publish = (token: string, topic: string, headers: Record<string, string> = {}) =>
    open().two.call('POST', '/v1/events', { body: { topic, payload: { n: 1 } }, token, headers })
  const aToken = (given: object = {}, options: CallOptions = {}) =>
    post('/v1/admin-tokens', { role: 'viewer', label: 'dashboard', ...given }, options)

  test('S1.13 a topic beyond the key’s scopes is 403, leaves no event and is not replayable', async () => {
    const { one, two } = open()
    const { key } = (await post('/v1/keys', { name: 'shop', scopes: ['orders.*', 'refunds'] })).json
    const headers = { 'idempotency-key': 'scoped' }
    for (const topic of ['orders', 'orders2.a', 'refunds.a', 'users.created']) {
      const listed = `/v1/events?topic=${topic}`
      const { items } = (await one.call('GET', listed)).json
      expectProblem(await publish(key, topic, headers), {
        status: 403,
        title: 'topic not permitted',
        detail: 'this producer key is not authorized to publish to this topic',
      })
      expect((await two.call('GET', listed)).json.items).toEqual(items)
    }
    const first = await publish(key, 'orders.a.b', headers)
    expect([first.status, first.headers.get('idempotent-replay')]).toEqual([202, null])
    expect((await publish(key, 'refunds')).status).toBe(202)
  })

  describe('S1.34 an admin token', () => {
    test('is shown once, listed without its text, oldest first, and revoked', async () => {
      const { one: server, two } = open()
      const made = await aToken()
      expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
      const { token, ...shown } = made.json
      expect(token).toMatch(/^hkadm_[0-9a-f]{48}$/)
      expect(shown).toMatchObject({ role: 'viewer', label: 'dashboard', tenant_id: null, expires_at: null })
      const later = (await aToken({ role: 'operator' })).json
      const { json, text } = await server.call('GET', '/v1/admin-tokens')
      const ids = json.items.map(({ id }: { id: string }) => id)
      expect(ids.indexOf(later.id)).toBeGreaterThan(ids.indexOf(shown.id))
      expect(json.next_cursor).toBe('')
      expect(text).not.toContain(token)
      expect((await two.call('GET', '/v1/whoami', { token })).json).toEqual({
        role: 'viewer',
        tenant_id: null,
        key_id: shown.id,
      })
      for (let times = 0; times < 2; times++) {
        const revoked = await server.call('DELETE', `/v1/admin-tokens/${shown.id}`)
        expect([revoked.status, revoked.text]).toEqual([204, ''])
      }
      expect((await two.call('GET', '/v1/whoami', { token })).status).toBe(401)
      const { revoked_at: revokedAt } = (await server.call('GET', `/v1/admin-tokens/${shown.id}`)).json
      expect(Date.parse(revokedAt)).toBeGreaterThan(0)
      expectProblem(await server.call('DELETE', '/v1/admin-tokens/adm_01h455vb4pex5vsknk084sn02q'), {
        status: 404,
      })
    })

    test.each([
      ['text/plain', 415],
      ['application/x-www-form-urlencoded', 415],
      ['application/jsonp', 415],
      ['application/json; charset=utf-8', 201],
      ['APPLICATION/JSON', 201],
    ])('is made with the content type %s: %i', async (type, status) => {
      const answer = await aToken({}, { headers: { 'content-type': type } })
      expect(answer.status).toBe(status)
      if (status === 415) expectProblem(answer, { status, detail: 'application/json' })
    })

    test('is refused beyond 256 that are active, and a revoked one makes room', async () => {
      const made: string[] = []
      const revoke = (id: string) => open().two.call('DELETE', `/v1/admin-tokens/${id}`)
      let refused: Answer | undefined
      while (refused === undefined) {
        const answers = await Promise.all(Array.from({ length: 16 }, () => aToken()))
        for (const { status, json } of answers) if (status === 201) made.push(json.id)
        refused = answers.find(({ status }) => status !== 201)
      }
      expectProblem(refused, { status: 409, detail: '256 admin tokens are active already' })
      expect(made.length).toBeLessThanOrEqual(256)
      await revoke(made.pop() as string)
      const answer = await aToken()
      expect(answer.status).toBe(201)
      await Promise.all([...made, answer.json.id].map(revoke))
    })
  })
}
