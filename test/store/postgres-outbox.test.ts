/** The SQL functions that publish inside a caller's transaction, and the fan-out of what has committed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idempotencyHash } from '../../src/core/idempotency.ts'
import { idTime, idToBytes, parseId } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { packReceivers } from '../../src/core/receivers.ts'
import { Outhook } from '../../src/index.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { anOutbox } from './an-outbox.ts'
import { anOutcome, leaseMs, type Route } from './contract/scene.ts'

describe.each(testedServers())('$name', ({ start }) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString()
  const anOrder = { topic: `'orders.created'`, payload: `'{"id":1}'` }

  describe('publish', () => {
    test('makes an event if and when its transaction commits, first accepted and then fanned out', async () => {
      const { begin, publish, fanOut, store, scene, sql } = await anOutbox(server)
      const route = await scene.anEndpoint()
      const client = await begin()
      const id = await publish(client, { ...anOrder, metadata: `'{"source":"shop"}'`, ordering_key: `'k'` })
      expect(await store.getEvent(defaultTenantId, id)).toBeNull()
      expect(await store.getPayload(defaultTenantId, id)).toBeNull()
      await client.query('commit')

      const accepted = await store.getEvent(defaultTenantId, id)
      expect(accepted).toMatchObject({
        id,
        topic: 'orders.created',
        state: 'accepted',
        payloadBytes: 8,
        metadata: { source: 'shop' },
        orderingKey: 'k',
        producerKeyId: null,
      })
      expect(text(await store.getPayload(defaultTenantId, id))).toBe('{"id":1}')
      expect(await scene.deliveriesOf(id)).toEqual([])

      expect(await fanOut([route])).toEqual({ count: 1, stale: [], held: [] })
      expect(await store.getEvent(defaultTenantId, id)).toEqual({ ...accepted, state: 'fanned_out' })
      expect(text(await store.getPayload(defaultTenantId, id))).toBe('{"id":1}')
      expect(await scene.deliveriesOf(id)).toMatchObject([
        { state: 'pending', orderingKey: 'k', endpointId: route.endpointId },
      ])
      expect(await sql('select * from outbox')).toEqual([])
      expect((await store.counts()).deliveries.pending).toBe(1)
      const { deliveries } = await scene.claim()
      expect(deliveries).toMatchObject([
        { eventId: id, topic: 'orders.created', metadata: { source: 'shop' } },
      ])
    })

    test('says whether the caller gave an idempotency key, before its fan-out and after', async () => {
      const { begin, publish, fanOut, store } = await anOutbox(server)
      const client = await begin()
      const keyed = await publish(client, { ...anOrder, idempotency_key: `'k'` })
      const plain = await publish(client, anOrder)
      await client.query('commit')
      const areKeyed = async () =>
        Promise.all(
          [keyed, plain].map(async (id) => (await store.getEvent(defaultTenantId, id))?.hasIdempotencyKey),
        )
      expect(await areKeyed()).toEqual([true, false])
      expect(await fanOut()).toEqual({ count: 2, stale: [], held: [] })
      expect(await areKeyed()).toEqual([true, false])
    })

    test('leaves nothing behind at rollback, and its key free', async () => {
      const { begin, publish, store, sql } = await anOutbox(server)
      const client = await begin()
      const id = await publish(client, { ...anOrder, idempotency_key: `'k'` })
      await client.query('rollback; begin')
      expect(await store.getEvent(defaultTenantId, id)).toBeNull()
      expect(await sql('select id from outbox union all select event_id from idempotency_keys')).toEqual([])
      const again = await publish(client, { ...anOrder, idempotency_key: `'k'` })
      expect(again).not.toBe(id)
    })

    test.each(['text', 'json', 'bytea'])('keeps the bytes of a payload of type %s', async (type) => {
      const { begin, publish, store, fanOut } = await anOutbox(server)
      const payload = ' {"b": 1.0,\n\t"a":[12345678901234567890, "é😀"], "a":null} '
      const client = await begin()
      const literal =
        type === 'bytea' ? `'\\x${Buffer.from(payload).toString('hex')}'::bytea` : `'${payload}'::${type}`
      const id = await publish(client, { topic: `'a'`, payload: literal })
      await client.query('commit')
      expect(text(await store.getPayload(defaultTenantId, id))).toBe(payload)
      await fanOut()
      expect(text(await store.getPayload(defaultTenantId, id))).toBe(payload)
    })

    test('returns the text of a UUIDv7 of now; those of one transaction are in order', async () => {
      const { begin, schema, sql } = await anOutbox(server)
      const client = await begin()
      const { rows } = await client.query<{ id: string }>(
        `select ${schema}.publish('a', n::text) as id from generate_series(1, 100) n`,
      )
      await client.query('commit')
      const ids = rows.map((row) => row.id)
      for (const id of ids) {
        expect(parseId(id, 'evt')).toBe(id)
        const bytes = idToBytes(id)
        expect([(bytes[6] as number) >> 4, (bytes[8] as number) >> 6]).toEqual([7, 2])
      }
      expect(new Set(ids).size).toBe(100)
      expect(ids).toEqual(ids.toSorted())
      const [clock] = await sql<{ ms: string }>('select (extract(epoch from now()) * 1000)::bigint as ms')
      expect(Math.abs(idTime(ids[0] as string) - Number(clock?.ms))).toBeLessThan(60_000)
      const stored = await sql<{ id: string }>('select id from outbox order by place')
      expect(stored.map((row) => row.id.replaceAll('-', ''))).toEqual(
        ids.map((id) => Buffer.from(idToBytes(id)).toString('hex')),
      )
    })

    test('lists accepted events among the others, newest first, page by page', async () => {
      const { begin, publish, fanOut, store } = await anOutbox(server)
      const client = await begin()
      const ids: string[] = []
      for (let index = 0; index < 5; index++) {
        ids.push(await publish(client, { topic: `'t${index % 2}'`, payload: `'${index}'` }))
        await client.query('commit; begin')
        if (index === 2) await fanOut()
      }
      const first = await store.listEvents(defaultTenantId, {}, { limit: 3, cursor: null })
      const second = await store.listEvents(defaultTenantId, {}, { limit: 3, cursor: first.nextCursor })
      const items = [...first.items, ...second.items]
      expect(items.map((event) => event.id)).toEqual(ids.toReversed())
      expect(items.map((event) => event.state)).toEqual([
        'accepted',
        'accepted',
        'fanned_out',
        'fanned_out',
        'fanned_out',
      ])
      const filter = { topic: 't1', since: Date.now() - 60_000, until: Date.now() + 60_000 }
      const some = await store.listEvents(defaultTenantId, filter, { limit: 3, cursor: null })
      expect(some.items.map((event) => event.id)).toEqual([ids[3], ids[1]])
    })

    test('takes the id of a tenant, and refuses one that is not there', async () => {
      const { begin, publish, scene, store } = await anOutbox(server)
      const tenant = scene.ids.next('ten')
      await scene.anEndpoint({ tenantId: tenant })
      const client = await begin()
      const id = await publish(client, { ...anOrder, tenant: `'${tenant}'` })
      await client.query('commit; begin')
      expect(await store.getEvent(tenant, id)).toMatchObject({ tenantId: tenant })
      expect(await store.getEvent(defaultTenantId, id)).toBeNull()
      for (const unknown of [scene.ids.next('ten'), 'ten_x', 'default', scene.ids.next('evt'), '']) {
        await expect(publish(client, { ...anOrder, tenant: `'${unknown}'` })).rejects.toMatchObject({
          code: '22023',
          message: `there is no tenant ${unknown}`,
        })
        await client.query('rollback; begin')
      }
    })

    test('serves a role that may use the schema, and shows it nothing', async () => {
      const { begin, publish, schema, sql, store } = await anOutbox(server)
      const role = `${schema}_app`
      await sql(`create role ${role}`)
      try {
        const client = await begin()
        await client.query(`rollback; set role ${role}`)
        await expect(publish(client, anOrder)).rejects.toMatchObject({ code: '42501' })
        await sql(`grant usage on schema ${schema} to ${role}`)
        await client.query('rollback; begin')
        const id = await publish(client, { ...anOrder, idempotency_key: `'k'` })
        await client.query('commit')
        expect(await store.getEvent(defaultTenantId, id)).not.toBeNull()
        for (const table of ['outbox', 'idempotency_keys', 'meta', 'events']) {
          await expect(client.query(`select * from ${schema}.${table}`)).rejects.toMatchObject({
            code: '42501',
          })
        }
      } finally {
        await sql(`drop owned by ${role}; drop role ${role}`)
      }
    })

    test('is not led astray by tables and functions of the caller with the same names', async () => {
      const { begin, publish, store } = await anOutbox(server)
      const client = await begin()
      await client.query(`
        create temporary table outbox (id uuid);
        create temporary table idempotency_keys (tenant_id uuid);
        create temporary table tenants (id uuid);
        create temporary table meta (name text, value text);
        create function pg_temp.check_event(text, bytea, jsonb, text, text) returns text language sql as 'select null';
        set local search_path to pg_temp`)
      const id = await publish(client, { ...anOrder, idempotency_key: `'k'` })
      await client.query('commit')
      expect(await store.getEvent(defaultTenantId, id)).toMatchObject({ state: 'accepted' })
    })
  })

  describe('what publish refuses', () => {
    const long = (length: number) => 'x'.repeat(length)
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, 'v']))
    interface Case {
      readonly topic?: string
      readonly body?: string
      readonly metadata?: Record<string, unknown>
      readonly idempotencyKey?: string
      readonly orderingKey?: string
    }
    const cases: readonly Case[] = [
      { topic: '' },
      { topic: 'two words' },
      { topic: 'a\tb' },
      { topic: 'a\u007f' },
      { topic: '*' },
      { topic: 'tp.*' },
      { topic: 'a*b' },
      { topic: 'ü.é😀' },
      { topic: 'endpoint.disabled' },
      { topic: 'endpoint.recovered' },
      { topic: 'delivery.dead_lettered' },
      { topic: 'delivery.failing' },
      { topic: 'credential.expiring' },
      { topic: 'delivery.shipped' },
      { topic: long(255) },
      { topic: long(256) },
      { topic: 'é'.repeat(128) },
      { body: '' },
      { body: '{' },
      { body: '{"a":1}{}' },
      { body: "{'a':1}" },
      { body: '[01]' },
      { body: 'NaN' },
      { body: '\ufeff{}' },
      { body: '\u00a0{}' },
      { body: 'null' },
      { body: ' \r\n\t"text" ' },
      { body: '"\\u0000 \\ud800"' },
      { body: `"${long(262_142)}"` },
      { body: `"${long(262_143)}"` },
      { metadata: {} },
      { metadata: many(16) },
      { metadata: many(17) },
      { metadata: { Upper: 'v' } },
      { metadata: { [long(64)]: 'v' } },
      { metadata: { [long(65)]: 'v' } },
      { metadata: { '': 'v' } },
      { metadata: { a: '' } },
      { metadata: { a: 1 } },
      { metadata: { a: null } },
      { metadata: { a: long(256) } },
      { metadata: { a: 'é'.repeat(129) } },
      { metadata: { a: ' v' } },
      { metadata: { a: 'v\u3000' } },
      { metadata: { a: 'v\n' } },
      { metadata: { a: 'v\u0085w' } },
      { metadata: { a: 'two words' } },
      { idempotencyKey: '' },
      { idempotencyKey: long(255) },
      { idempotencyKey: long(256) },
      { idempotencyKey: 'a\nb' },
      { idempotencyKey: 'ü 😀' },
      { orderingKey: '' },
      { orderingKey: long(256) },
      { orderingKey: long(257) },
      { body: '{"ordering_key":"a"}', orderingKey: 'a' },
      { body: '{"ordering_key":"a"}', orderingKey: 'b' },
      { body: '{"ordering_key":7}', orderingKey: 'b' },
      { body: '[{"ordering_key":"a"}]', orderingKey: 'b' },
      { body: '{"\\u006frdering_key":"a"}', orderingKey: 'b' },
      { body: '{"ordering_key":"b","ordering_key":"a"}', orderingKey: 'a' },
      { body: '{"x":"\\u0000\\\\u0000\\ud800","ordering_key":"\\\\\\ud83d\\ude00"}', orderingKey: '\\😀' },
      { body: '{"x":"\\u0000","ordering_key":"a"}', orderingKey: 'b' },
      { body: '{"x":"\\u0000","ordering_key":"\\\\u0000"}', orderingKey: '\\u0000' },
      { body: `{"ordering_key":"${long(257)}"}` },
      { topic: 'a\u0085b' },
      { orderingKey: 'a\nb' },
      { orderingKey: 'a\u0085b' },
      { orderingKey: '\u00a0\ufffd' },
      { body: '{"ordering_key":"a\\u0000b"}' },
      { body: '{"ordering_key":"a\\ud800"}' },
      { body: '{"ordering_key":"\\udc00a"}' },
      { body: '{"ordering_key":"a\\u0001b"}' },
      { body: '{"ordering_key":"a\\u0085b"}' },
      { body: '{"ordering_key":"\\ufffd","x":"\\ud800"}', orderingKey: '\ufffd' },
      { body: '{"ordering_key":7,"x":"\\u0001"}' },
    ]

    test('is what the library refuses, with SQLSTATE 22023 and a hint', async () => {
      const { begin, schema } = await anOutbox(server)
      await using hooks = await Outhook.open({ store: 'memory:' })
      const client = await begin()
      const wrong: unknown[] = []
      for (const { topic = 'a', body = '{}', ...rest } of cases) {
        const here = await hooks
          .publish({ topic, body, ...rest } as Parameters<typeof hooks.publish>[0])
          .then(() => null, String)
        const { idempotencyKey = null, metadata = null, orderingKey = null } = rest
        const there = await client
          .query(`select ${schema}.publish($1, $2, $3, $4, $5)`, [
            topic,
            body,
            idempotencyKey,
            metadata,
            orderingKey,
          ])
          .then(
            () => null,
            (error: unknown) => error as { code: string; hint?: string },
          )
        await client.query('rollback; begin')
        const isAlike = (here === null) === (there === null)
        const isClear = there === null || (there.code === '22023' && (there.hint ?? '') !== '')
        if (!isAlike || !isClear) wrong.push({ topic, body, ...rest, here, there: String(there) })
      }
      expect(wrong).toEqual([])
    })

    test.each([
      ['null::text', 'payload must not be null'],
      [`'\\xff'::bytea`, 'payload is not UTF-8'],
      [`repeat('[', 100000)`, 'payload is nested too deeply'],
    ])('besides: %s', async (payload, message) => {
      const { begin, publish } = await anOutbox(server)
      const client = await begin()
      await expect(publish(client, { topic: `'a'`, payload })).rejects.toMatchObject({
        code: '22023',
        message,
      })
    })

    test('names the metadata, when it is no object', async () => {
      const { begin, publish } = await anOutbox(server)
      const client = await begin()
      await expect(publish(client, { ...anOrder, metadata: `'[]'` })).rejects.toMatchObject({
        code: '22023',
        message: 'metadata must be an object of short strings',
      })
    })
  })

  describe('an idempotency key', () => {
    const keyed = { ...anOrder, idempotency_key: `'k'` }

    test('gives the first event again within its transaction and after it, and refuses another content', async () => {
      const { begin, publish, fanOut, sql } = await anOutbox(server)
      const client = await begin()
      const id = await publish(client, keyed)
      expect(await publish(client, keyed)).toBe(id)
      await client.query('commit; begin')
      expect(await publish(client, keyed)).toBe(id)
      await client.query('commit; begin')
      await fanOut()
      expect(await publish(client, keyed)).toBe(id)
      for (const other of [{ payload: `'{"id": 1}'` }, { topic: `'orders.paid'` }, { ordering_key: `'o'` }]) {
        await client.query('savepoint before')
        await expect(publish(client, { ...keyed, ...other })).rejects.toMatchObject({
          code: '23505',
          message: expect.stringContaining(id),
          hint: expect.stringContaining('another key'),
        })
        await client.query('rollback to before')
      }
      await client.query('commit')
      expect(await sql('select count(*)::integer as n from events')).toEqual([{ n: 1 }])
    })

    test('means the same here and in an ordinary publish, both ways', async () => {
      const { begin, publish, store, scene } = await anOutbox(server)
      const payload = new TextEncoder().encode('{"id":1}')
      const idempotency = (key: string) => ({
        scope: '',
        key,
        hash: idempotencyHash('orders.created', payload, 'o'),
        ttlMs: 60_000,
      })
      const client = await begin()
      const byFunction = await publish(client, { ...keyed, ordering_key: `'o'` })
      await client.query('commit; begin')
      const [replayed] = await store.publish(
        [await scene.anEvent({ payload, idempotency: idempotency('k') })],
        {
          leaseMs,
        },
      )
      expect(replayed).toEqual({
        kind: 'replayed',
        eventId: byFunction,
        deliveryIds: [],
        state: 'accepted',
        filteredSubscriptions: 0,
      })

      const event = await scene.anEvent({ payload, orderingKey: 'o', idempotency: idempotency('k2') })
      await store.publish([event], { leaseMs })
      expect(await publish(client, { ...keyed, ordering_key: `'o'`, idempotency_key: `'k2'` })).toBe(event.id)
    })

    test('is taken over once it has expired', async () => {
      const { begin, publish, sql } = await anOutbox(server)
      const client = await begin()
      const id = await publish(client, keyed)
      await client.query('commit; begin')
      await sql('update idempotency_keys set expires_at = 1')
      expect(await publish(client, { ...keyed, payload: `'2'` })).not.toBe(id)
    })

    test('is remembered for a day, or as long as a node said last', async () => {
      const { begin, publish, sql, outbox } = await anOutbox(server)
      const client = await begin()
      const remembered = async (key: string): Promise<number> => {
        await publish(client, { ...keyed, idempotency_key: `'${key}'` })
        await client.query('commit; begin')
        const [row] = await sql<{ ms: string }>(
          'select expires_at - line_ms() as ms from idempotency_keys where key = $1',
          [key],
        )
        return Math.ceil(Number(row?.ms) / 60_000)
      }
      expect(await remembered('day')).toBe(24 * 60)
      await outbox.setKeyTtl(90 * 60_000)
      await outbox.setKeyTtl(60 * 60_000)
      expect(await remembered('hour')).toBe(60)
    })

    test('that another open transaction has used is waited for, and refused after two seconds', async () => {
      const { begin, publish } = await anOutbox(server)
      const first = await begin()
      const second = await begin()
      const third = await begin()
      const id = await publish(first, keyed)
      await expect(publish(second, keyed)).rejects.toMatchObject({
        code: '55P03',
        message: expect.stringContaining('still open'),
        hint: expect.stringContaining('try again'),
      })
      const waiting = publish(third, keyed)
      await first.query('commit')
      expect(await waiting).toBe(id)
    })

    test('that is only answered from is not locked', async () => {
      const { begin, publish, store, scene } = await anOutbox(server)
      const client = await begin()
      const id = await publish(client, keyed)
      await client.query('commit; begin')
      await publish(client, keyed)
      const payload = new TextEncoder().encode('{"id":1}')
      const hash = idempotencyHash('orders.created', payload, null)
      const event = await scene.anEvent({ payload, idempotency: { scope: '', key: 'k', hash, ttlMs: 1 } })
      expect(await store.publish([event], { leaseMs })).toMatchObject([{ kind: 'replayed', eventId: id }])
    })
  })

  describe('the fan-out', () => {
    test('happens once, on whatever nodes it is tried at the same time', async () => {
      const { begin, publish, fanOut, openNode, scene, sql } = await anOutbox(server)
      const route = await scene.anEndpoint()
      const nodes = await Promise.all([openNode(), openNode(), openNode()])
      const client = await begin()
      for (let n = 0; n < 30; n++) await publish(client, { topic: `'a'`, payload: `'${n}'` })
      await client.query('commit')
      const counts = await Promise.all(nodes.map((node) => fanOut([route], node)))
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(30)
      const [deliveries] = await sql(
        'select count(*)::integer as all, count(distinct event_id)::integer as of_events from live_deliveries',
      )
      expect(deliveries).toEqual({ all: 30, of_events: 30 })
    })

    test('that another node is at is left to it', async () => {
      const { begin, publish, fanOut, sql } = await anOutbox(server)
      const client = await begin()
      await publish(client, anOrder)
      await client.query('commit')
      await sql(
        `begin; select pg_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' fan out', 0))`,
      )
      expect(await fanOut()).toEqual({ count: 0, stale: [], held: [] })
      await sql('commit')
      expect(await fanOut()).toEqual({ count: 1, stale: [], held: [] })
    })

    test('that was planned before a change of the subscriptions is refused, and only for that tenant', async () => {
      const { begin, publish, outbox, scene, store } = await anOutbox(server)
      const tenant = scene.ids.next('ten')
      const [changed] = [await scene.anEndpoint(), await scene.anEndpoint({ tenantId: tenant })]
      const client = await begin()
      await publish(client, anOrder)
      await publish(client, { ...anOrder, tenant: `'${tenant}'` })
      await client.query('commit')
      const plans = await Promise.all(
        (await outbox.listAccepted(10)).map(async ({ id, tenantId, orderingKey, deliverAt }) => ({
          id,
          tenantId,
          orderingKey,
          deliverAt,
          filteredSubscriptions: null,
          routingVersion: (await store.loadRouting(tenantId)).version,
          deliveries: [],
        })),
      )
      await store.updateEndpoint(defaultTenantId, changed.endpointId, { description: 'changed' })
      expect(await outbox.fanOut(plans)).toEqual({ count: 1, stale: [defaultTenantId], held: [] })
      expect(await outbox.listAccepted(10)).toMatchObject([{ tenantId: defaultTenantId }])
    })

    test('of an event for many goes on in slices, and the event is in one place all the time', async () => {
      const { begin, publish, outbox, scene, store, sql } = await anOutbox(server)
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
      const client = await begin()
      const id = await publish(client, { ...anOrder, idempotency_key: `'k'` })
      await client.query('commit')
      const receivers = packReceivers(Array.from({ length: 250 }, (_, no) => routes[no % 2] as Route))
      const { routingVersion } = await scene.anEvent()
      const plan = {
        id,
        tenantId: defaultTenantId,
        orderingKey: null,
        deliverAt: null,
        filteredSubscriptions: null,
        routingVersion,
        deliveries: [],
        receivers,
      }
      expect(await outbox.fanOut([plan])).toEqual({ count: 1, stale: [], held: [] })
      expect(await outbox.fanOut([plan])).toEqual({ count: 0, stale: [], held: [] })
      expect(await sql('select * from outbox')).toEqual([])
      expect(await store.getEvent(defaultTenantId, id)).toMatchObject({ id, state: 'accepted' })
      while ((await scene.fanOutSlice()).more);
      expect(await store.getEvent(defaultTenantId, id)).toMatchObject({ id, state: 'fanned_out' })
      const deliveries = await scene.deliveriesOf(id)
      expect(new Set(deliveries.map((delivery) => delivery.id)).size).toBe(250)
      expect((await scene.claim({ limit: 500 })).deliveries).toHaveLength(250)
    })

    test('leaves later events of a key in the outbox while an earlier event for many of that key is being fanned out', async () => {
      const { begin, publish, fanOut, scene, store, sql } = await anOutbox(server)
      const route = await scene.anEndpoint({ ordered: true })
      const many = await scene.publish({ receivers: [route, route, route], orderingKey: 'slow' })
      const client = await begin()
      const ids: string[] = []
      for (const key of ['slow', 'other', 'slow']) {
        ids.push(await publish(client, { ...anOrder, ordering_key: `'${key}'` }))
      }
      await client.query('commit')
      const [first = '', other = '', second = ''] = ids
      const inOutbox = async () =>
        (await sql<{ readonly n: number }>('select count(*)::integer as n from outbox'))[0]?.n
      const relay = () => fanOut([route])
      expect(await relay()).toEqual({ count: 1, stale: [], held: [first, second] })
      expect(await inOutbox()).toBe(2)
      expect(await store.getEvent(defaultTenantId, other)).toMatchObject({ state: 'fanned_out' })
      for (const id of [first, second]) {
        expect(await store.getEvent(defaultTenantId, id)).toMatchObject({ state: 'accepted' })
        expect(await scene.deliveriesOf(id)).toEqual([])
      }
      await scene.fanOutSlice(2)
      expect(await relay()).toEqual({ count: 0, stale: [], held: [first, second] })
      expect(await inOutbox()).toBe(2)
      while ((await scene.fanOutSlice(2)).more);
      expect(await relay()).toEqual({ count: 2, stale: [], held: [] })
      expect(await inOutbox()).toBe(0)
      const order: string[] = []
      for (let left = 6; left > 0; ) {
        const { deliveries } = await scene.claim()
        if (deliveries.length === 0) throw new Error('the line of the key is stuck')
        await scene.record(...deliveries.map((each) => anOutcome(each)))
        order.push(...deliveries.map(({ eventId }) => eventId))
        left -= deliveries.length
      }
      expect(order.filter((id) => id !== other)).toEqual([...Array(3).fill(many.event.id), first, second])
    })

    test('makes deliveries for the time that the caller gave, and no other', async () => {
      const { begin, publish, fanOut, scene } = await anOutbox(server)
      const route = await scene.anEndpoint()
      const client = await begin()
      const later = await publish(client, { ...anOrder, deliver_at: `now() + interval '1 hour'` })
      const past = await publish(client, { ...anOrder, deliver_at: `now() - interval '1 hour'` })
      await client.query('savepoint before_a_mistake')
      await expect(
        publish(client, { ...anOrder, deliver_at: `now() + interval '367 days'` }),
      ).rejects.toThrow('more than 366 days ahead')
      await client.query('rollback to before_a_mistake; commit')
      await fanOut([route])
      const [scheduled] = await scene.deliveriesOf(later)
      expect(scheduled).toMatchObject({ state: 'pending', reason: 'scheduled' })
      expect((scheduled?.nextAttemptAt ?? 0) - Date.now()).toBeGreaterThan(3_590_000)
      expect(await scene.deliveriesOf(past)).toMatchObject([{ state: 'pending', reason: null }])
      expect((await scene.claim()).deliveries).toMatchObject([{ eventId: past }])
    })

    test('parks deliveries of an endpoint that is disabled', async () => {
      const { begin, publish, outbox, scene, store } = await anOutbox(server)
      const route = await scene.anEndpoint()
      await store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const client = await begin()
      const id = await publish(client, anOrder)
      await client.query('commit')
      const { deliveries, routingVersion } = await scene.anEvent({
        routes: [route],
        parked: 'endpoint_disabled',
      })
      await outbox.fanOut([
        {
          id,
          tenantId: defaultTenantId,
          orderingKey: null,
          deliverAt: null,
          filteredSubscriptions: null,
          routingVersion,
          deliveries,
        },
      ])
      expect(await scene.deliveriesOf(id)).toMatchObject([
        { state: 'pending', reason: 'endpoint_disabled', nextAttemptAt: null },
      ])
    })

    test('goes in the order of publishing, not in that of ids, which other clocks have made', async () => {
      const { begin, outbox, scene, publish } = await anOutbox(server)
      const client = await begin()
      const late = await publish(client, anOrder)
      const early = scene.ids.next('evt').replace(/^evt_01/, 'evt_00')
      const event = {
        id: early,
        tenantId: defaultTenantId,
        topic: 'a',
        payload: new TextEncoder().encode('1'),
        metadata: null,
        traceContext: null,
        orderingKey: null,
        deliverAt: null,
        idempotency: null,
      }
      expect(await outbox.accept(client, [event])).toEqual([{ kind: 'accepted' }])
      await client.query('commit')
      expect((await outbox.listAccepted(10)).map(({ id }) => id)).toEqual([late, early])
      expect((await outbox.listAccepted(1)).map(({ id }) => id)).toEqual([late])
    })
  })

  test('a transaction that stays open delays nothing and nobody else', async () => {
    const { begin, publish, fanOut, openNode, scene, sql, store } = await anOutbox(server)
    const route = await scene.anEndpoint()
    await sql(`insert into idempotency_keys select '${'0'.repeat(8)}-0000-0000-0000-000000000000', '', 'old' || n, '',
               gen_random_uuid(), 1 from generate_series(1, 20) n`)
    const open = await begin()
    const held = await publish(open, { ...anOrder, idempotency_key: `'held'` })
    // It also takes over a record that retention is about to remove.
    await publish(open, { ...anOrder, idempotency_key: `'old1'` })

    const other = await begin()
    const id = await publish(other, { ...anOrder, idempotency_key: `'free'` })
    await other.query('commit')
    expect(await fanOut([route])).toEqual({ count: 1, stale: [], held: [] })
    expect(await store.getEvent(defaultTenantId, id)).toMatchObject({ state: 'fanned_out' })
    const payload = new TextEncoder().encode('{"id":1}')
    const hash = idempotencyHash('orders.created', payload, null)
    const aKey = (key: string) => ({ scope: '', key, hash, ttlMs: 60_000 })
    const batch = [
      await scene.anEvent({ routes: [route] }),
      await scene.anEvent({ payload, idempotency: aKey('held') }),
      await scene.anEvent({ payload, idempotency: aKey('old1') }),
      await scene.anEvent({ payload, idempotency: aKey('old2') }),
    ]
    for (const node of [store, await openNode()]) {
      const results = await node.publish(
        batch.map((event) => ({ ...event, id: scene.ids.next('evt'), deliveries: [] })),
        {
          leaseMs,
        },
      )
      expect(results.map(({ kind }) => kind).slice(0, 3)).toEqual(['published', 'key_held', 'key_held'])
    }
    await store.deleteExpiredIdempotencyKeys({ limit: 100 })
    const left = await sql<{ key: string }>('select key from idempotency_keys order by key')
    expect(left.map(({ key }) => key)).toEqual(['free', 'old1', 'old2'])
    expect((await scene.claim()).deliveries).toHaveLength(1)
    await store.updateEndpoint(defaultTenantId, route.endpointId, { description: 'changed' })
    expect(await sql(`select count(*)::integer as n from pg_locks where not granted`)).toEqual([{ n: 0 }])

    await open.query('commit')
    expect(await fanOut([route])).toEqual({ count: 2, stale: [], held: [] })
    expect(await store.getEvent(defaultTenantId, held)).toMatchObject({ state: 'fanned_out' })
  })
})
