/** Links to the portal, on a store of any kind; `two` is another server on the same store, or the same one. */
import { beforeAll, describe, expect, test } from 'vitest'
import { portalAbilities } from '../../../src/core/portal.ts'
import type { Answer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, type OpenScene } from './scene.ts'

const hour = 3_600_000

export function describePortalLinks(open: OpenScene): void {
  let tenant: { readonly id: string; readonly name: string }
  beforeAll(async () => {
    const body = { uid: aName('portal'), name: 'Acme Inc.' }
    tenant = (await open().one.call('POST', '/v1/tenants', { body })).json
  })
  const path = () => `/v1/tenants/${tenant.id}/portal-links`
  const make = (body: object = {}, headers: Readonly<Record<string, string>> = {}) =>
    open().one.call('POST', path(), { body, headers })
  const aLink = async (body: object = {}) => {
    const answer = await make(body)
    expect([answer.text, answer.status]).toEqual([answer.text, 201])
    return answer.json
  }
  const portal = (token: string, server = open().two): Promise<Answer> =>
    server.call('GET', '/v1/portal', { token })
  const lifeOf = ({ created_at, expires_at }: { created_at: string; expires_at: string }) =>
    Date.parse(expires_at) - Date.parse(created_at)

  describe('a link to the portal', () => {
    test('is good for an hour and for looking alone where nothing else is asked for, on each server', async () => {
      const link = await aLink()
      expect(link).toMatchObject({ tenant_id: tenant.id, abilities: ['view'], label: null, revoked_at: null })
      expect(lifeOf(link)).toBe(hour)
      expect(link.token).toMatch(/^hkprt_[0-9a-f]{64}$/)
      expect(link.url).toBe(`${open().one.url}/portal/#${link.token}`)
      expect((await portal(link.token)).json).toEqual({
        link_id: link.id,
        tenant_id: tenant.id,
        tenant_name: 'Acme Inc.',
        abilities: ['view'],
        expires_at: link.expires_at,
      })
      expect((await open().two.call('GET', '/v1/whoami', { token: link.token })).json).toEqual({
        role: 'portal',
        tenant_id: tenant.id,
        key_id: link.id,
      })
    })

    test('can do what its maker chose, which always includes looking, for up to 7 days', async () => {
      const link = await aLink({ abilities: ['reveal_secret', 'resend'], expires_in: '7d', label: 'Ada' })
      expect(link).toMatchObject({ abilities: ['view', 'resend', 'reveal_secret'], label: 'Ada' })
      expect(lifeOf(link)).toBe(7 * 24 * hour)
    })

    test.each([
      [{ expires_in: '8d' }, 'expires_in'],
      [{ expires_in: 0 }, 'expires_in'],
      [{ expires_in: 604_800_001 }, 'expires_in'],
      [{ abilities: [] }, 'abilities'],
      [{ abilities: ['view', 'admin'] }, 'abilities'],
      [{ label: '' }, 'label'],
      [{ tenant: 'default' }, 'tenant'],
    ])('is refused for %j, which names what is wrong', async (body, member) => {
      const answer = await make(body)
      expect([400, 422]).toContain(answer.status)
      expectProblem(answer, { status: answer.status, detail: member })
    })

    test('is listed without its token, for whoever may make one and nobody else', async () => {
      const link = await aLink({ label: aName('listed') })
      const { token, url, ...shown } = link
      const listed = await open().two.call('GET', `${path()}?limit=1`)
      expect(listed.json.items).toEqual([shown])
      expect(listed.text).not.toContain(token)
      expect(url).toContain(token)
      const viewer = (
        await open().one.call('POST', '/v1/admin-tokens', { body: { role: 'operator', label: 'o' } })
      ).json
      for (const other of [viewer.token, token, (await open().one.producer()).key]) {
        for (const method of ['GET', 'POST']) {
          expect((await open().two.call(method, path(), { token: other })).status).toBe(403)
        }
        const revoke = await open().two.call('DELETE', `${path()}/${link.id}`, { token: other })
        expect(revoke.status).toBe(403)
      }
    })

    test('is pages long where there are many, newest first', async () => {
      const made = [(await aLink()).id, (await aLink()).id]
      const first = (await open().two.call('GET', `${path()}?limit=1`)).json
      const cursor = encodeURIComponent(first.next_cursor)
      const second = (await open().two.call('GET', `${path()}?limit=1&cursor=${cursor}`)).json
      expect([second.items[0].id, first.items[0].id]).toEqual(made)
    })

    test('that is revoked lets nobody in on any server, and says so', async () => {
      const link = await aLink({ abilities: [...portalAbilities] })
      expect((await portal(link.token, open().one)).status).toBe(200)
      for (let times = 0; times < 2; times++) {
        expect((await open().one.call('DELETE', `${path()}/${link.id}`)).status).toBe(204)
      }
      for (const server of [open().one, open().two]) {
        expectProblem(await portal(link.token, server), {
          status: 401,
          title: 'invalid credentials',
          detail: 'this link to the portal has been revoked; ask whoever gave it to you for a new one',
        })
      }
      const { items } = (await open().two.call('GET', path())).json
      const shown = items.find(({ id }: { id: string }) => id === link.id)
      expect(Date.parse(shown.revoked_at)).toBeGreaterThan(0)
    })

    test('that has expired says so', async () => {
      const link = await aLink({ expires_in: 1 })
      await expect.poll(async () => (await portal(link.token)).status).toBe(401)
      expectProblem(await portal(link.token), { status: 401, detail: 'this link to the portal has expired' })
    })

    test('that nobody made, or with one character changed, is unknown', async () => {
      const { token } = await aLink()
      const changed = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')
      for (const wrong of [changed, 'hkprt_', `hkprt_${'0'.repeat(64)}`, token.toUpperCase()]) {
        const answer = await portal(wrong)
        expect(answer.status).toBe(401)
      }
      expectProblem(await portal(changed), { status: 401, detail: 'this link to the portal is unknown here' })
    })

    test('of a tenant that is not there is not found, and of a deleted one is unknown', async () => {
      const nobody = '/v1/tenants/ten_01h455vb4pex5vsknk084sn02q/portal-links'
      for (const method of ['GET', 'POST']) {
        expectProblem(await open().one.call(method, nobody), { status: 404, title: 'tenant not found' })
      }
      const { id } = (await open().one.call('POST', '/v1/tenants', { body: { uid: aName('gone') } })).json
      const made = (await open().one.call('POST', `/v1/tenants/${id}/portal-links`)).json
      expect((await open().one.call('DELETE', `/v1/tenants/${id}`)).status).toBe(202)
      expect((await open().two.call('POST', `/v1/tenants/${id}/portal-links`)).status).toBe(404)
      expect((await portal(made.token)).status).toBe(401)
    })

    test('belongs to its tenant: another tenant’s path does not have it', async () => {
      const other = (await open().one.call('POST', '/v1/tenants', { body: { uid: aName('other') } })).json
      const link = await aLink()
      const wrong = await open().one.call('DELETE', `/v1/tenants/${other.id}/portal-links/${link.id}`)
      expectProblem(wrong, { status: 404, title: 'portal link not found' })
      expect((await portal(link.token)).status).toBe(200)
    })

    test('is made once for one idempotency key, with the same token', async () => {
      const headers = { 'idempotency-key': aName('link') }
      const body = { label: 'once' }
      const first = await make(body, headers)
      const again = await make(body, headers)
      expect(again.json).toEqual(first.json)
      expect(again.headers.get('idempotent-replay')).toBe('true')
      expectProblem(await make({ label: 'twice' }, headers), { status: 409 })
    })

    test('begins with the address that its maker asked at, and not with a host that is none', async () => {
      const forwarded = { 'x-forwarded-proto': 'https' }
      expect((await make({}, forwarded)).json.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/portal\/#hkprt_/)
      const bytes = `POST ${path()} HTTP/1.1\r\nHost: a.example/evil\r\nAuthorization: Bearer test-admin-token\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
      expect(await open().one.raw(bytes)).toContain('--public-url')
    })
  })
}
