/** Cursors of every list: good on each node, and for the next page of the list that gave it alone. */
import { describe, expect, test } from 'vitest'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, anEndpointBody, type OpenScene } from './scene.ts'

const refused = { status: 400, title: 'bad cursor', detail: 'the cursor is of another listing' }

/** Each list, with a filter that another cursor of it has not. */
const lists = [
  ['/v1/endpoints', 'include_deleted=true'],
  ['/v1/subscriptions', 'include_deleted=true'],
  ['/v1/events', 'topic=cursors.a'],
  ['/v1/deliveries', 'topic=cursors.a'],
  ['/v1/jobs', 'state=done'],
  ['/v1/keys', 'kind=admin'],
  ['/v1/admin-tokens', 'tenant=default'],
] as const

async function cursorOf(server: TestServer, path: string, query = ''): Promise<string> {
  const { json } = await server.call('GET', `${path}?limit=1&${query}`)
  expect(json.next_cursor, path).toMatch(/^[\w-]{40}$/)
  return json.next_cursor
}

async function fill(server: TestServer): Promise<void> {
  for (let at = 0; at < 2; at++) {
    await server.call('POST', '/v1/endpoints', { body: { ...anEndpointBody, topics: ['cursors.*'] } })
    await server.call('POST', '/v1/events', { body: { topic: 'cursors.a', payload: at } })
    await server.call('POST', '/v1/keys', { body: { name: 'cursors' } })
    await server.call('POST', '/v1/keys', { body: { name: 'cursors', kind: 'admin' } })
    await server.call('POST', '/v1/tenants', { body: { uid: aName('cursors') } })
    await server.call('POST', '/v1/deliveries/cancel', { body: { topic: 'nothing' } })
  }
}

export function describeCursors(open: OpenScene): void {
  describe('cursors', () => {
    test('each list takes its own cursor on each node, with any limit, and with no other filter, list or tenant', async () => {
      const { one, two } = open()
      await fill(one)
      const tenant = (await one.call('POST', '/v1/tenants', { body: { uid: aName('cursors') } })).json.id
      for (const [path, filter] of lists) {
        const cursor = await cursorOf(one, path)
        const next = await two.call('GET', `${path}?limit=2&cursor=${cursor}`)
        expect([path, next.status]).toEqual([path, 200])
        expect(next.json.items.length, path).toBeGreaterThan(0)
        for (const query of [filter, `tenant=${tenant}`]) {
          const answer = await two.call('GET', `${path}?cursor=${cursor}&${query}`)
          expectProblem(answer, refused)
        }
        for (const [other] of lists.filter(([other]) => other !== path)) {
          expectProblem(await two.call('GET', `${other}?cursor=${cursor}`), refused)
        }
      }
    })

    test('tenants and the deliveries of an event are lists like the others', async () => {
      const { one, two } = open()
      const cursor = await cursorOf(one, '/v1/tenants')
      expect((await two.call('GET', `/v1/tenants?cursor=${cursor}`)).status).toBe(200)
      expectProblem(await two.call('GET', `/v1/dlq?cursor=${cursor}`), refused)
      const body = { topic: 'cursors.a', payload: 1 }
      const { event_id: id } = (await one.call('POST', '/v1/events', { body })).json
      expectProblem(await two.call('GET', `/v1/events/${id}?cursor=${cursor}`), refused)
    })

    test('the list of ordered keys signs its cursors, which are of another length, like every other list', async () => {
      const { one, two } = open()
      await fill(one)
      const tenant = (await one.call('POST', '/v1/tenants', { body: { uid: aName('cursors') } })).json.id
      const topic = aName('ordered')
      const endpoint = (await one.call('POST', '/v1/endpoints', { body: { url: anEndpointBody.url } })).json
        .id
      const body = { endpoint_id: endpoint, topic_patterns: [topic], ordered: true }
      const subscription = (await one.call('POST', '/v1/subscriptions', { body })).json.id
      const keys = ['a', 'b', 'ä'.repeat(100), 'ä'.repeat(101)]
      for (const key of keys) {
        await one.call('POST', '/v1/events', { body: { topic, payload: 1, ordering_key: key } })
      }
      const path = `/v1/ordered-keys?subscription_id=${subscription}`
      const seen: string[] = []
      const cursors: string[] = []
      for (let cursor = ''; ; ) {
        const server = seen.length % 2 === 0 ? one : two
        const { json } = await server.call('GET', `${path}&limit=1&cursor=${cursor}`)
        seen.push(...json.items.map((item: { ordering_key: string }) => item.ordering_key))
        cursor = json.next_cursor
        if (cursor === '') break
        cursors.push(cursor)
      }
      expect(seen).toEqual(keys)
      for (const cursor of [cursors[0], cursors[2]] as string[]) {
        const others = ['', `&blocked=true`, '&blocked=false', '&ordering_key=a', `&tenant=${tenant}`]
        for (const query of others.map((other) =>
          other === '' ? '' : `subscription_id=${subscription}${other}`,
        )) {
          expectProblem(await two.call('GET', `/v1/ordered-keys?${query}&cursor=${cursor}`), refused)
        }
        for (const [other] of lists) {
          expectProblem(await two.call('GET', `${other}?cursor=${cursor}`), refused)
        }
        const bytes = Buffer.from(cursor, 'base64url')
        for (let at = 0; at < bytes.length; at++) {
          const altered = Buffer.from(bytes)
          altered[at] = (altered[at] ?? 0) ^ 1
          expectProblem(await one.call('GET', `${path}&cursor=${altered.toString('base64url')}`), refused)
        }
        // What the store itself makes of it, without the signature.
        expectProblem(
          await one.call('GET', `${path}&cursor=${bytes.subarray(0, -14).toString('base64url')}`),
          refused,
        )
      }
      const ofAnother = await cursorOf(one, '/v1/subscriptions')
      expectProblem(await one.call('GET', `${path}&cursor=${ofAnother}`), refused)
    })

    test('one that is forged, altered by one bit, cut or made longer is refused', async () => {
      const { one } = open()
      const cursor = await cursorOf(one, '/v1/endpoints')
      const bytes = Buffer.from(cursor, 'base64url')
      const altered = Array.from(bytes, (_, at) => {
        const copy = Buffer.from(bytes)
        copy[at] = (copy[at] ?? 0) ^ 1
        return copy.toString('base64url')
      })
      const others = [
        bytes.subarray(0, 16).toString('base64url'),
        cursor.slice(1),
        `${cursor}A`,
        'A'.repeat(40),
        '!',
      ]
      for (const given of [...altered, ...others]) {
        expectProblem(await one.call('GET', `/v1/endpoints?cursor=${given}`), {
          status: 400,
          title: 'bad cursor',
        })
      }
    })

    test('S1.28 an endpoint is made, shown, changed and deleted, and with it its subscriptions and what waits for it', async () => {
      const { one, two } = open()
      const topic = aName('deleted')
      const created = await one.call('POST', '/v1/endpoints', {
        body: { ...anEndpointBody, topics: [topic] },
      })
      const path = `/v1/endpoints/${created.json.id}`
      expect((await two.call('GET', path)).json).toMatchObject({ topics: [topic], deleted_at: null })
      expect((await two.call('PATCH', path, { body: { description: 'new' } })).json.description).toBe('new')
      await one.call('PATCH', path, { body: { enabled: false } })
      const { delivery_ids: ids } = (await one.call('POST', '/v1/events', { body: { topic, payload: 1 } }))
        .json
      expect(ids).toHaveLength(1)
      expect((await two.call('DELETE', path)).status).toBe(204)
      for (const method of ['GET', 'DELETE']) {
        expectProblem(await one.call(method, path), { status: 404, title: 'endpoint not found' })
      }
      expect((await one.call('GET', `${path}?include_deleted=true`)).json.deleted_at).not.toBeNull()
      const query = `endpoint_id=${created.json.id}`
      expect((await one.call('GET', `/v1/subscriptions?${query}`)).json.items).toEqual([])
      const gone = (await one.call('GET', `/v1/subscriptions?${query}&include_deleted=true`)).json.items
      expect(gone).toMatchObject([{ own: true, deleted_at: expect.any(String) }])
      expect((await one.call('GET', `/v1/deliveries/${ids[0]}`)).json.state).toBe('cancelled')
    })

    test('a filter that names what there is not is a 400 that says what there is', async () => {
      const { one } = open()
      for (const [query, detail] of [
        ['error_class=nonsense', 'attempts_exhausted'],
        ['error_class=http_5', 'redirect_rejected'],
        ['state=nonsense', 'dead_lettered'],
        ['since=yesterday', 'since'],
        ['endpoint_id=x', 'endpoint_id'],
        ['nonsense=1', 'allowed: '],
      ] as const) {
        expectProblem(await one.call('GET', `/v1/deliveries?${query}`), { status: 400, detail })
      }
      for (const query of ['error_class=nonsense', 'topics=a']) {
        expectProblem(await one.call('GET', `/v1/dlq?${query}`), { status: 400 })
      }
      for (const path of ['/v1/deliveries', '/v1/dlq']) {
        expect((await one.call('GET', `${path}?error_class=timeout`)).json).toEqual({
          items: [],
          next_cursor: '',
        })
      }
    })

    test('S1.30 pages follow one another without a gap: 120 rows by 50, in whatever order the filters stand', async () => {
      const { one, two } = open()
      const topic = aName('pages')
      await one.call('POST', '/v1/endpoints', { body: { ...anEndpointBody, topics: [topic] } })
      const events = Array.from({ length: 120 }, (_, payload) => ({ topic, payload }))
      const { items } = (await one.call('POST', '/v1/events/batch', { body: { events } })).json
      const wanted = items
        .flatMap((item: { delivery_ids: string[] }) => item.delivery_ids)
        .sort()
        .reverse()
      const queries = [`topic=${topic}&limit=50&state=pending`, `state=pending&limit=50&topic=${topic}`]
      const seen: string[] = []
      const sizes: number[] = []
      let cursor = ''
      do {
        const [server, query] = [[one, two][sizes.length % 2] ?? one, queries[sizes.length % 2]]
        const { json } = await server.call('GET', `/v1/deliveries?${query}&cursor=${cursor}`)
        seen.push(...json.items.map((item: { delivery_id: string }) => item.delivery_id))
        sizes.push(json.items.length)
        cursor = json.next_cursor
      } while (cursor !== '')
      expect(sizes).toEqual([50, 50, 20])
      expect(seen).toEqual(wanted)
    })
  })
}
