/** Filters of subscriptions: who gets what, what of it is shown, and previews. */
import { expect, test } from 'vitest'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { type ApiScene, aName, anEndpointBody, type OpenScene } from './scene.ts'

/** A tenant of its own with an endpoint, and what is done for it. */
async function aShop({ one, two }: ApiScene) {
  const uid = aName('filtering')
  const query = `tenant=${(await one.call('POST', '/v1/tenants', { body: { uid } })).json.id}`
  const call = (server: TestServer, method: string, path: string, body?: object) =>
    server.call(
      method,
      `${path}${path.includes('?') ? '&' : '?'}${query}`,
      body === undefined ? {} : { body },
    )
  const endpoint = (await call(one, 'POST', '/v1/endpoints', { url: anEndpointBody.url })).json
  const subscribe = async (filter: unknown, more: object = {}) =>
    (
      await call(one, 'POST', '/v1/subscriptions', {
        endpoint_id: endpoint.id,
        topic_patterns: ['*'],
        filter,
        ...more,
      })
    ).json
  const publish = async (payload: unknown, more: object = {}) =>
    (await call(two, 'POST', '/v1/events', { topic: 'orders.created', payload, ...more })).json
  return { one, two, call, endpoint, subscribe, publish }
}

export function describeFilters(open: OpenScene): void {
  test('a subscription gets what its filter lets through, and an event says how many filters did not', async () => {
    const { two, call, subscribe, publish } = await aShop(open())
    const large = await subscribe({ total: { $gte: 100 } })
    const all = await subscribe(null)
    const subscriptionsOf = async (id: string) =>
      (await call(two, 'GET', `/v1/events/${id}`)).json.deliveries.map(
        (delivery: { subscription_id: string }) => delivery.subscription_id,
      )
    const both = await publish({ total: 100 })
    expect(both).not.toHaveProperty('filtered_subscriptions')
    expect((await subscriptionsOf(both.id)).sort()).toEqual([large.id, all.id].sort())
    const few = await publish({ total: 99.5 })
    expect(few).toMatchObject({ delivery_ids: [expect.any(String)], filtered_subscriptions: 1 })
    expect(await subscriptionsOf(few.id)).toEqual([all.id])
    await call(two, 'DELETE', `/v1/subscriptions/${all.id}`)
    const none = await publish({ total: '100' }, { idempotency_key: 'k' })
    expect(none).toMatchObject({ delivery_ids: [], filtered_subscriptions: 1 })
    expect(await publish({ total: '100' }, { idempotency_key: 'k' })).toEqual(none)
    const shown = (await call(two, 'GET', `/v1/events/${none.id}`)).json
    expect(shown).toMatchObject({ state: 'fanned_out', deliveries: [], filtered_subscriptions: 1 })
    const listed = (await call(two, 'GET', '/v1/events')).json.items
    expect(listed.map((event: { filtered_subscriptions: number }) => event.filtered_subscriptions)).toEqual([
      1, 1, 0,
    ])
  })

  test('a batch is filtered event by event, and each says so', async () => {
    const { two, call, subscribe } = await aShop(open())
    await subscribe({ paid: true })
    const events = [{ paid: true }, { paid: false }, 5].map((payload) => ({ topic: 'a', payload }))
    const { items } = (await call(two, 'POST', '/v1/events/batch', { events })).json
    expect(items.map((item: { delivery_ids: string[] }) => item.delivery_ids.length)).toEqual([1, 0, 0])
    expect(items.map((item: object) => 'filtered_subscriptions' in item)).toEqual([false, true, true])
  })

  test('a filter is kept as it was given, replaced, and taken away by null', async () => {
    const { two, call, subscribe, publish } = await aShop(open())
    const filter = { 'odd name': ['a'], __proto__: undefined, snake_case: { $or: [1, { $exist: false }] } }
    const { id, ...made } = await subscribe(JSON.parse(JSON.stringify(filter)))
    expect(made.filter).toEqual({ 'odd name': ['a'], snake_case: { $or: [1, { $exist: false }] } })
    const path = `/v1/subscriptions/${id}`
    expect((await call(two, 'GET', path)).json.filter).toEqual(made.filter)
    expect((await call(two, 'PATCH', path, { topic_patterns: ['orders.*'] })).json.filter).toEqual(
      made.filter,
    )
    expect((await call(two, 'PATCH', path, { filter: { n: 1 } })).json.filter).toEqual({ n: 1 })
    expect([
      (await publish({ n: 2 })).delivery_ids.length,
      (await publish({ n: 1 })).delivery_ids.length,
    ]).toEqual([0, 1])
    expect((await call(two, 'PATCH', path, { filter: null })).json.filter).toBeNull()
    expect((await publish({ n: 2 })).delivery_ids).toHaveLength(1)
    expect((await call(two, 'PATCH', path, { filter: {} })).json.filter).toBeNull()
  })

  test('an endpoint takes the filter of its own subscription together with topics', async () => {
    const { one, two, call, publish } = await aShop(open())
    const body = { ...anEndpointBody, uid: 'own', filter: { n: { $gt: 1 } } }
    const { json: endpoint } = await call(one, 'POST', '/v1/endpoints', body)
    expect(endpoint.filter).toEqual({ n: { $gt: 1 } })
    expect([
      (await publish({ n: 1 })).delivery_ids.length,
      (await publish({ n: 2 })).delivery_ids.length,
    ]).toEqual([0, 1])
    const path = `/v1/endpoints/${endpoint.id}`
    const kept = await call(two, 'PATCH', path, { topics: ['orders.created'] })
    expect(kept.json.filter).toEqual({ n: { $gt: 1 } })
    const changed = await call(two, 'POST', '/v1/endpoints', { ...body, filter: { n: 5 } })
    expect([changed.status, changed.json.filter]).toEqual([200, { n: 5 }])
    const taken = await call(two, 'PATCH', path, { topics: ['orders.*'], filter: null })
    expect(taken.json.filter).toBeNull()
    const alone = await call(two, 'PATCH', path, { filter: { n: 5 } })
    expect(alone.status).toBe(422)
    expect(alone.json.detail).toMatch(/^filter belongs to a subscription/)
  })

  test.each([
    [{ n: { $regex: 'x' } }, 'filter.n.$regex is no operator'],
    [{ n: { $gt: true } }, 'filter.n.$gt must be a number'],
    [[], 'filter must be an object'],
    ['x', 'filter must be an object'],
    [{ a: 'x'.repeat(9000) }, 'filter is larger than 8192 bytes'],
  ])(
    'the filter %j is refused where it is saved and where it is previewed, and nothing is changed',
    async (filter, message) => {
      const { two, call, subscribe } = await aShop(open())
      const { id } = await subscribe({ n: 1 })
      const answers = [
        await call(two, 'PATCH', `/v1/subscriptions/${id}`, { filter }),
        await call(two, 'POST', '/v1/subscriptions/preview', { filter }),
        await call(two, 'POST', '/v1/endpoints', { ...anEndpointBody, filter }),
      ]
      for (const answer of answers) {
        expectProblem(answer, { status: 422 })
        expect(answer.json.detail).toContain(message)
      }
      expect((await call(two, 'GET', `/v1/subscriptions/${id}`)).json.filter).toEqual({ n: 1 })
    },
  )

  test('a preview says which recent events a filter would let through, and why not the others', async () => {
    const { two, call, publish } = await aShop(open())
    await publish({ total: 150, tags: ['gift'] })
    await publish({ total: 50 })
    const other = await call(two, 'POST', '/v1/events', { topic: 'users.created', payload: { total: 500 } })
    const preview = async (body: object) => (await call(two, 'POST', '/v1/subscriptions/preview', body)).json
    const filter = { total: { $gte: 100 } }
    const { items, ...counts } = await preview({ filter, topic_patterns: ['orders.*'] })
    expect(counts).toEqual({ passed: 1, looked_at: 3 })
    expect(items).toMatchObject([
      {
        topic: 'orders.created',
        passes: false,
        reason: 'filter',
        failed: { path: 'total', condition: { $gte: 100 }, found: '50' },
      },
      { topic: 'orders.created', passes: true, reason: null, failed: null },
    ])
    expect(await preview({ filter, limit: 1 })).toMatchObject({
      passed: 1,
      items: [{ event_id: other.json.id }],
    })
    expect(await preview({ filter: null, limit: 2 })).toMatchObject({ passed: 2 })
    expect(await preview({ filter, payload: { total: 5 } })).toMatchObject({
      passed: 0,
      items: [{ event_id: null, created_at: null, failed: { found: '5' } }],
    })
    const given = { filter, payload: { total: 500 }, topic: 'users.created' }
    expect(await preview({ ...given, topic_patterns: ['orders.*'] })).toMatchObject({
      items: [{ reason: 'topic' }],
    })
    expect(await preview(given)).toMatchObject({ passed: 1 })
    const costly = { filter: { $or: [{ $contains: 3 }, { $contains: 4 }] }, payload: Array(20_000).fill(1) }
    expect(await preview(costly)).toMatchObject({ passed: 0, items: [{ reason: 'too_costly' }] })
    expectProblem(await call(two, 'POST', '/v1/subscriptions/preview', { filter, topic: 'a' }), {
      status: 422,
    })
  })
}
