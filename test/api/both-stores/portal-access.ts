/** What a link to the portal may do, on every route of the table: within its abilities and its tenant alone. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type RouteAccess, routeAccess } from '../../../src/api/route-access.ts'
import { type PortalAbility, portalAbilities } from '../../../src/core/portal.ts'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, type OpenScene } from './scene.ts'

const guarded = Object.entries(routeAccess)
  .filter((row): row is [string, RouteAccess] => row[1] !== 'open')
  .map(([route, { portal }]) => {
    const [method = '', url = ''] = route.split(' ')
    return { route, method, url, portal: portal ?? null }
  })
type Row = (typeof guarded)[number]
const forLinks = guarded.filter(({ portal }) => portal !== null)
const withId = forLinks.filter(({ url }) => url.includes(':'))

/** Of the objects of one tenant, by the part of the path in front of the id. */
type Objects = Readonly<Record<string, string>>

/** A route that links may use and that names another kind of object has to have one here. */
async function someObjects(server: TestServer, uid: string): Promise<Objects> {
  const post = async (path: string, body: object) => {
    const answer = await server.call('POST', `${path}?tenant=${uid}`, { body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return answer.json
  }
  const url = 'https://127.0.0.1/hook'
  const endpoint = await post('/v1/endpoints', { url, topics: ['a'] })
  const subscription = await post('/v1/subscriptions', { endpoint_id: endpoint.id, topic_patterns: ['b'] })
  const event = await post('/v1/events', { topic: 'a', payload: { of: uid }, metadata: { owner: uid } })
  const job = await post('/v1/dlq/replay', { all: true })
  const eventType = await post('/v1/event-types', { name: aName(`of-${uid}`), description: uid })
  const secrets = await server.call('GET', `/v1/endpoints/${endpoint.id}/secrets`)
  return {
    endpoints: endpoint.id,
    subscriptions: subscription.id,
    events: event.id,
    deliveries: event.delivery_ids[0],
    dlq: event.delivery_ids[0],
    jobs: job.id,
    secrets: secrets.json.items[0].id,
    'event-types': eventType.name,
  }
}

const absent: Objects = {
  endpoints: 'ep_01h455vb4pex5vsknk084sn02q',
  subscriptions: 'sub_01h455vb4pex5vsknk084sn02q',
  events: 'evt_01h455vb4pex5vsknk084sn02q',
  deliveries: 'dlv_01h455vb4pex5vsknk084sn02q',
  dlq: 'dlv_01h455vb4pex5vsknk084sn02q',
  jobs: 'job_01h455vb4pex5vsknk084sn02q',
  secrets: 'sec_01h455vb4pex5vsknk084sn02q',
  'event-types': 'of.nobody',
}

function pathTo({ url }: Row, objects: Objects): string {
  return url.replace(/([^/]+)\/:\w+/g, (_whole, collection: string) => {
    const id = objects[collection]
    if (id === undefined) throw new Error(`${url}: give someObjects one of ${collection}`)
    return `${collection}/${id}`
  })
}

/** Of the right form, so that rights and ids are what is looked at. */
function bodyOf({ method, route }: Row): object | undefined {
  if (method === 'GET' || method === 'DELETE') return undefined
  if (route === 'POST /v1/endpoints') return { url: 'https://127.0.0.1/other' }
  if (route.endsWith('/backfill')) return { since: '2026-01-01T00:00:00Z' }
  return route === 'POST /v1/dlq/replay' ? { all: true } : {}
}

const sets: readonly (readonly PortalAbility[])[] = [
  ['view'],
  ...portalAbilities.filter((ability) => ability !== 'view').map((ability) => ['view', ability] as const),
  portalAbilities,
]

export function describePortalAccess(open: OpenScene): void {
  let own: Objects
  let other: Objects
  let ownId: string
  let otherUid: string
  let otherId: string
  const tokens = new Map<string, string>()
  beforeAll(async () => {
    const { one } = open()
    const [uid, foreign] = [aName('own'), aName('foreign')]
    ownId = (await one.call('POST', '/v1/tenants', { body: { uid } })).json.id
    otherId = (await one.call('POST', '/v1/tenants', { body: { uid: foreign } })).json.id
    otherUid = foreign
    own = await someObjects(one, uid)
    other = await someObjects(one, foreign)
    for (const abilities of sets) tokens.set(abilities.join(), await aLink(abilities))
  })
  const aLink = async (abilities: readonly PortalAbility[], tenantId = ownId): Promise<string> => {
    const path = `/v1/tenants/${tenantId}/portal-links`
    return (await open().one.call('POST', path, { body: { abilities } })).json.token
  }
  const linkOf = (abilities: readonly PortalAbility[] = portalAbilities) =>
    tokens.get(abilities.join()) as string
  const send = (row: Row, path: string, token = linkOf()) =>
    open().two.call(row.method, path, { token, body: bodyOf(row) })

  describe.each(sets.map((abilities) => ({ abilities, name: abilities.join() })))(
    'a link to the portal that can $name',
    ({ abilities }) => {
      test.each(guarded)('does $route if that is enough, and else is told what is', async (row) => {
        const isEnough = row.portal?.every((ability) => abilities.includes(ability)) ?? false
        // Of nobody, so that nothing is changed for the tests that follow.
        const path =
          row.portal === null ? row.url.replace(/:\w+/g, absent.events as string) : pathTo(row, absent)
        const answer = await send(row, path, linkOf(abilities))
        if (isEnough) return void expect([answer.text, answer.status === 403]).toEqual([answer.text, false])
        const missing = row.portal?.filter((ability) => !abilities.includes(ability)).join(' and ')
        expectProblem(answer, {
          status: 403,
          title: 'insufficient role',
          detail: missing === undefined ? 'this is a link to the portal' : `requires the ability ${missing}`,
        })
      })
    },
  )

  describe('to a link to the portal', () => {
    test.each(withId)('objects of another tenant look like absent ones: $route', async (row) => {
      const foreign = await send(row, pathTo(row, other))
      expectProblem(foreign, { status: 404 })
      const nobody = await send(row, pathTo(row, absent))
      expect([foreign.status, foreign.json]).toEqual([nobody.status, nobody.json])
    })

    test.each(forLinks)('no other tenant can be named: $route', async (row) => {
      for (const name of [otherUid, otherId, 'default', 'nobody']) {
        const answer = await send(row, `${pathTo(row, own)}?tenant=${name}`)
        expectProblem(answer, { status: 404, title: 'tenant not found', detail: name })
      }
    })

    test.each(forLinks.filter(({ method, url }) => method === 'GET' && !url.includes(':')))(
      'nothing of another tenant is in $route',
      async (row) => {
        const query = row.url === '/v1/stats/endpoints' ? `?endpoint_ids=${own.endpoints}` : ''
        const { text, status } = await send(row, row.url + query)
        expect([text, status]).toEqual([text, 200])
        for (const id of [...Object.values(other), otherId, otherUid]) expect(text).not.toContain(id)
      },
    )

    test.each([
      ['/v1/deliveries', 'endpoint_id', 'endpoints'],
      ['/v1/deliveries', 'event_id', 'events'],
      ['/v1/deliveries', 'subscription_id', 'subscriptions'],
      ['/v1/dlq', 'endpoint_id', 'endpoints'],
      ['/v1/subscriptions', 'endpoint_id', 'endpoints'],
    ])('%s by the %s of another tenant is as by one of nobody', async (path, name, of) => {
      const by = (objects: Objects) =>
        open().two.call('GET', `${path}?${name}=${objects[of]}`, { token: linkOf() })
      const [foreign, nobody] = [await by(other), await by(absent)]
      expect([foreign.status, foreign.json]).toEqual([nobody.status, nobody.json])
      expect(foreign.json.items ?? []).toEqual([])
    })

    test('jobs on endpoints of another tenant are as on those of nobody', async () => {
      const replay = (objects: Objects) =>
        open().two.call('POST', '/v1/dlq/replay', {
          token: linkOf(),
          body: { endpoint_id: objects.endpoints, dry_run: true },
        })
      const [foreign, nobody] = [await replay(other), await replay(absent)]
      expect([foreign.status, foreign.json]).toEqual([nobody.status, nobody.json])
    })

    test('cursors of another tenant’s lists are none', async () => {
      await someObjects(open().one, otherUid)
      const theirs = await open().one.call('GET', `/v1/endpoints?tenant=${otherUid}&limit=1`)
      const cursor = encodeURIComponent(theirs.json.next_cursor)
      expect(cursor).not.toBe('')
      const answer = await open().two.call('GET', `/v1/endpoints?cursor=${cursor}`, { token: linkOf() })
      expectProblem(answer, { status: 400, code: 'bad_cursor' })
    })

    test('an idempotency key of another link, or of an admin, is another one', async () => {
      const headers = { 'idempotency-key': aName('shared') }
      const body = { url: 'https://127.0.0.1/keyed' }
      const make = async (token?: string) => {
        const where = token === undefined ? `/v1/endpoints?tenant=${ownId}` : '/v1/endpoints'
        const answer = await open().two.call('POST', where, { headers, body, ...(token && { token }) })
        expect([answer.text, answer.status]).toEqual([answer.text, 201])
        return answer.json
      }
      const ofAdmin = await make()
      const ofLink = await make(linkOf())
      const withoutSecrets = await make(linkOf(['view', 'manage_endpoints']))
      const ofOther = await make(await aLink(portalAbilities, otherId))
      const ids = [ofAdmin, ofLink, withoutSecrets, ofOther].map(({ id }) => id)
      expect(new Set(ids).size).toBe(4)
      expect(await make(linkOf())).toEqual(ofLink)
      expect((await open().two.call('GET', `/v1/endpoints/${ofOther.id}`, { token: linkOf() })).status).toBe(
        404,
      )
    })
  })

  describe('within a route, a link to the portal', () => {
    const call = (method: string, path: string, abilities: readonly PortalAbility[], body?: object) =>
      open().two.call(method, path, { token: linkOf(abilities), ...(body && { body }) })

    test('without see_payloads sees that there is an event, and nothing that was in it', async () => {
      for (const path of ['/v1/events', `/v1/events/${own.events}`]) {
        const closed = await call('GET', path, ['view'])
        const shown = await call('GET', path, ['view', 'see_payloads'])
        const [one, all] = [closed, shown].map(({ json }) => json.items?.[0] ?? json)
        expect(one).toMatchObject({ id: own.events, topic: 'a', metadata: {}, request: null })
        expect(all.metadata).toEqual({ owner: expect.stringContaining('own') })
        expect({ ...one, metadata: all.metadata }).toEqual(all)
      }
      // What is not shown cannot be guessed either, by asking for one value after the other.
      const guess = '/v1/events?metadata=owner%3Dx'
      expect((await call('GET', guess, ['view'])).status).toBe(403)
      expect((await call('GET', guess, ['view', 'see_payloads'])).json.items).toEqual([])
    })

    test('without reveal_secret gets no secret of the endpoint that it makes', async () => {
      const body = { url: 'https://127.0.0.1/secret', topics: ['a'] }
      const closed = await call('POST', '/v1/endpoints', ['view', 'manage_endpoints'], body)
      expect([closed.status, closed.json.secret]).toEqual([201, ''])
      const shown = await call('POST', '/v1/endpoints', portalAbilities, body)
      expect(shown.json.secret).toMatch(/^whsec_/)
    })

    test.each([
      ['uid', 'mine'],
      ['urls', ['https://127.0.0.1/a']],
      ['credential_id', null],
      ['client_certificate_id', null],
      ['max_in_flight', 1000],
      ['rate_limit_rps', null],
      ['retry_policy', 'hookrail'],
      ['signing_schemes', ['none']],
      ['timeout', '60s'],
      ['method', 'DELETE'],
      ['content_type', null],
      ['secret', `whsec_${'A'.repeat(43)}=`],
    ])('cannot set %s of an endpoint, neither at first nor later', async (name, value) => {
      const forbidden = { status: 403, title: 'not permitted', detail: `cannot set ${name}` }
      const body = { ...(name !== 'urls' && { url: 'https://127.0.0.1/hook' }), [name]: value }
      expectProblem(await call('POST', '/v1/endpoints', portalAbilities, body), forbidden)
      if (name === 'secret') return
      const change = await call('PATCH', `/v1/endpoints/${own.endpoints}`, portalAbilities, { [name]: value })
      expectProblem(change, forbidden)
    })

    test('changes what is its own of an endpoint, and who paused it is the link', async () => {
      const path = `/v1/endpoints/${own.endpoints}`
      const body = { description: 'ours', headers: { 'x-shop': 'berlin' }, topics: ['orders.*'] }
      expect((await call('PATCH', path, portalAbilities, body)).json).toMatchObject(body)
      const paused = await call('POST', `${path}/pause`, portalAbilities, { reason: 'we are moving' })
      expect(paused.json).toMatchObject({ state: 'paused', paused_reason: 'we are moving' })
      expect(paused.json.paused_by).toMatch(/^plk_/)
      expect((await call('POST', `${path}/resume`, portalAbilities, {})).json.paused_at).toBeNull()
    })

    test('signs in no browser', async () => {
      expect((await call('PUT', '/v1/sign-in', portalAbilities)).status).toBe(403)
    })
  })
}
