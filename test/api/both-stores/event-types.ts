/** The catalogue of event types and what publishing makes of it, on a store of any kind; `two` is another server on it. */
import { describe, expect, test } from 'vitest'
import { patienceMs } from '../../patience.ts'
import type { Answer, TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, type OpenScene } from './scene.ts'

const schema = {
  type: 'object',
  required: ['id', 'items'],
  properties: {
    id: { type: 'string', pattern: '^o_' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['sku'],
        properties: { sku: { type: 'string' }, n: { minimum: 1 } },
      },
    },
  },
}
const right = { id: 'o_1', items: [{ sku: 'a', n: 1 }] }
const wrong = { id: 'o_1', items: [{ sku: 'a' }, { sku: 'b', n: 0 }] }
const path = '/items/1/n'

export function describeEventTypes(open: OpenScene): void {
  const post = (body: object, query = '', server: TestServer = open().one) =>
    server.call('POST', `/v1/event-types${query}`, { body })
  const make = async (given: object, query = ''): Promise<string> => {
    const name = aName('made')
    const answer = await post({ name, ...given }, query)
    expect([answer.text, answer.status]).toEqual([answer.text, 201])
    return name
  }
  const publish = (topic: string, payload: unknown, given: object = {}, query = ''): Promise<Answer> =>
    open().one.call('POST', `/v1/events${query}`, { body: { topic, payload, ...given } })
  const change = (name: string, body: object, query = '') =>
    open().one.call('PATCH', `/v1/event-types/${encodeURIComponent(name)}${query}`, { body })
  const aTenant = async () => {
    const uid = aName('tenant')
    await open().one.call('POST', '/v1/tenants', { body: { uid } })
    return uid
  }
  const expectMismatch = (answer: Answer, at = path) => {
    expectProblem(answer, { status: 422, title: 'payload does not match its event type' })
    expect(answer.json).toMatchObject({ code: 'payload_mismatch', path: at })
  }

  describe('a catalogue of event types', () => {
    test('keeps what it is given of a type, changes it by parts, and deletes it, with versions that guard changes', async () => {
      const given = {
        name: aName('kept'),
        description: 'An order\nwas made',
        group: 'Orders',
        schema,
        example: right,
        mode: 'warn',
      }
      const made = await post(given)
      expect(made.status).toBe(201)
      expect(made.json).toMatchObject({ ...given, tenant_id: null, deprecated: false })
      const at = `/v1/event-types/${given.name}`
      const shown = await open().two.call('GET', at)
      expect(shown.json).toEqual(made.json)
      const changed = await open().one.call('PATCH', at, {
        body: { deprecated: true, group: null, example: null },
        headers: { 'if-match': shown.headers.get('etag') ?? '' },
      })
      expect(changed.json).toMatchObject({
        description: given.description,
        schema,
        deprecated: true,
        group: null,
        example: null,
      })
      const late = await open().one.call('DELETE', at, {
        headers: { 'if-match': shown.headers.get('etag') ?? '' },
      })
      expectProblem(late, { status: 412, title: 'changed meanwhile' })
      expect((await open().one.call('DELETE', at)).status).toBe(204)
      expectProblem(await open().one.call('GET', at), { status: 404, title: 'event type not found' })
    })

    test('is listed by name, group and deprecation, page by page', async () => {
      const group = aName('Group')
      const names = [
        await make({ group }),
        await make({ group, deprecated: true }),
        await make({ group }),
      ].sort()
      const list = async (query: string) => (await open().two.call('GET', `/v1/event-types?${query}`)).json
      const first = await list(`group=${group}&limit=2`)
      const second = await list(`group=${group}&limit=2&cursor=${first.next_cursor}`)
      expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(names)
      expect(second.next_cursor).toBe('')
      expect((await list(`group=${group}&deprecated=true`)).items).toHaveLength(1)
      const other = await open().one.call('GET', `/v1/event-types?cursor=${first.next_cursor}`)
      expectProblem(other, { status: 400, title: 'bad cursor' })
    })

    test('of a tenant has the server’s types, and its own in place of those of the same name', async () => {
      const uid = await aTenant()
      const name = await make({ description: 'of all' })
      const own = await post({ name, description: 'own' }, `?tenant=${uid}`)
      expect(own.json.tenant_id).toMatch(/^ten_/)
      const get = async (query: string) =>
        (await open().two.call('GET', `/v1/event-types/${name}${query}`)).json
      expect((await get(`?tenant=${uid}`)).description).toBe('own')
      expect((await get('')).description).toBe('of all')
      expect((await get('?tenant=default')).description).toBe('of all')
      const listed = await open().one.call('GET', `/v1/event-types?tenant=${uid}&own=true`)
      expect(listed.json.items.map((each: { name: string }) => each.name)).toEqual([name])
      expectProblem(await change(name, { deprecated: true }, '?tenant=default'), {
        status: 404,
        title: 'event type not found',
      })
      expect((await change(name, { deprecated: true }, `?tenant=${uid}`)).json.deprecated).toBe(true)
      expect((await get('')).deprecated).toBe(false)
    })

    test('is the tenant’s own for a token that is bound to one, which neither sees nor changes another’s', async () => {
      const [mine, theirs] = [await aTenant(), await aTenant()]
      const tokenOf = async (tenant: string) => {
        const body = { role: 'admin', label: aName('token') }
        return (await open().one.call('POST', `/v1/admin-tokens?tenant=${tenant}`, { body })).json.token
      }
      const [token, other] = [await tokenOf(mine), await tokenOf(theirs)]
      const name = aName('bound')
      const made = await open().one.call('POST', '/v1/event-types', { token, body: { name } })
      expect(made.json.tenant_id).toMatch(/^ten_/)
      expect((await open().one.call('GET', `/v1/event-types/${name}`, { token })).status).toBe(200)
      for (const method of ['GET', 'DELETE']) {
        const answer = await open().one.call(method, `/v1/event-types/${name}`, { token: other })
        expectProblem(answer, { status: 404, title: 'event type not found' })
      }
      expect((await open().one.call('GET', `/v1/event-types/${name}`)).status).toBe(404)
      const ofServer = await make({})
      const taken = await open().one.call('PATCH', `/v1/event-types/${ofServer}`, {
        token,
        body: { deprecated: true },
      })
      expectProblem(taken, { status: 404, title: 'event type not found' })
    })

    test.each([
      ['no topic', { name: 'a b' }, 'name: topic must not hold spaces'],
      ['a topic of Outhook’s own', { name: 'endpoint.disabled' }, 'reserved'],
      ['a mode without a schema', { mode: 'enforce' }, 'no schema'],
      [
        'an example that is not as the schema says',
        { schema, example: wrong },
        'example.items[1].n must be >= 1',
      ],
      ['a schema that is none', { schema: { type: 'objekt' } }, 'schema.type'],
      ['a schema that is a list', { schema: [] }, 'schema must be an object'],
      ['another draft', { schema: { $schema: 'http://json-schema.org/draft-07/schema#' } }, '2020-12'],
      ['a reference to another document', { schema: { $ref: 'https://a.example/b' } }, 'nothing is fetched'],
      ['a reference to nothing', { schema: { $ref: '#/$defs/a' } }, 'no schema is there'],
      ['a pattern that goes back', { schema: { pattern: '(a)\\1' } }, 'refers back'],
      ['a pattern that looks ahead', { schema: { patternProperties: { '(?=a)': true } } }, 'looks ahead'],
      ['a schema that is nested too deeply', { schema: deep(40) }, 'nested deeper'],
      [
        'a schema of too many parts',
        { schema: { allOf: Array.from({ length: 501 }, () => ({})) } },
        '500 parts',
      ],
      ['a schema that is too large', { schema: { const: 'x'.repeat(70_000) } }, 'larger than'],
      ['a group that is blank', { group: ' ' }, 'group'],
    ])('refuses %s, and says what is wrong', async (_what, given, detail) => {
      const answer = await post({ name: aName('refused'), ...given })
      expect(answer.status).toBe(422)
      expect(answer.json.detail).toContain(detail)
    })

    test('refuses a second type of a name', async () => {
      const name = await make({})
      expectProblem(await post({ name }), { status: 409, title: 'conflict' })
    })
  })

  describe('publishing', () => {
    test('refuses a payload that is not as an enforced schema says, names the place, and accepts nothing', async () => {
      const topic = await make({ schema, mode: 'enforce' })
      const answer = await publish(topic, wrong)
      expectMismatch(answer)
      expect(answer.json.detail).toBe(
        `payload.items[1].n must be >= 1, as the schema of the event type "${topic}" says`,
      )
      expectMismatch(await publish(topic, { id: 'o_1' }), '/items')
      expectMismatch(await publish(topic, { ...right, id: 'x' }), '/id')
      expect((await publish(topic, right)).status).toBe(202)
      const events = await open().two.call('GET', `/v1/events?topic=${topic}`)
      expect(events.json.items).toHaveLength(1)
    })

    test('accepts it where the type warns, and says so in the answer, also by the quick way and of large bodies', async () => {
      const topic = await make({ schema, mode: 'warn' })
      const warning = {
        path,
        message: `payload.items[1].n must be >= 1, as the schema of the event type "${topic}" says`,
      }
      for (const payload of [wrong, { ...wrong, more: 'ä'.repeat(60_000) }]) {
        const answer = await publish(topic, payload)
        expect(answer.status).toBe(202)
        expect(answer.json.warnings).toEqual([warning])
      }
      expect((await publish(topic, right)).json).not.toHaveProperty('warnings')
      const events = await open().two.call('GET', `/v1/events?topic=${topic}`)
      expect(events.json.items).toHaveLength(3)
      const { text } = await open().one.call('GET', '/metrics')
      const counted = /outhook_payload_violations_total\{result="accepted"\} (\d+)/.exec(text)?.[1]
      expect(Number(counted)).toBeGreaterThanOrEqual(2)
    })

    test('refuses in a batch the items that are not as the schema says, and no other', async () => {
      const [enforced, warned] = [
        await make({ schema, mode: 'enforce' }),
        await make({ schema, mode: 'warn' }),
      ]
      const events = [
        { topic: enforced, payload: wrong },
        { topic: enforced, payload: right },
        { topic: warned, payload: wrong },
      ]
      const { status, json } = await open().one.call('POST', '/v1/events/batch', { body: { events } })
      expect(status).toBe(200)
      expect(json.items[0]).toMatchObject({ status: 422, code: 'payload_mismatch', path })
      expect(json.items[1]).toMatchObject({ status: 202 })
      expect(json.items[1]).not.toHaveProperty('warnings')
      expect(json.items[2]).toMatchObject({ status: 202, warnings: [{ path }] })
    })

    test('goes by a change at once, and on another server soon', async () => {
      const topic = await make({ schema })
      expect((await publish(topic, wrong)).status).toBe(202)
      await change(topic, { mode: 'enforce' })
      expectMismatch(await publish(topic, wrong))
      const elsewhere = () => open().two.call('POST', '/v1/events', { body: { topic, payload: wrong } })
      await expect.poll(async () => (await elsewhere()).status, { timeout: patienceMs }).toBe(422)
      await open().one.call('DELETE', `/v1/event-types/${topic}`)
      expect((await publish(topic, wrong)).status).toBe(202)
    })

    test('goes by the tenant’s own type, at once on every server, whatever the server’s says', async () => {
      const uid = await aTenant()
      const topic = await make({ schema, mode: 'enforce' })
      expectMismatch(await publish(topic, wrong, {}, `?tenant=${uid}`))
      await post({ name: topic, schema, mode: 'off' }, `?tenant=${uid}`)
      for (const server of [open().one, open().two]) {
        const body = { topic, payload: wrong }
        const answer = await server.call('POST', `/v1/events?tenant=${uid}`, { body })
        expect(answer.status).toBe(202)
      }
      expectMismatch(await publish(topic, wrong))
    })

    test('gives the first answer again to a key that was used before the schema was enforced', async () => {
      const topic = await make({ schema })
      const key = { idempotency_key: aName('key') }
      const first = await publish(topic, wrong, key)
      await change(topic, { mode: 'enforce' })
      const again = await publish(topic, wrong, key)
      expect(again.json.id).toBe(first.json.id)
      expect(again.headers.get('idempotent-replay')).toBe('true')
      const fresh = { idempotency_key: aName('key') }
      expectMismatch(await publish(topic, wrong, fresh))
      // The refused one has not used its key up.
      expect((await publish(topic, right, fresh)).status).toBe(202)
    })

    test.each([
      ['a pattern over which others go back for ever', { pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`],
      ['branches that branch again', branching(30), {}],
      [
        'items that are all compared',
        { uniqueItems: true },
        Array.from({ length: 30_000 }, (_, index) => [index]),
      ],
      ['a reference that never ends', { allOf: [{ $ref: '#' }] }, {}],
    ])('answers soon whatever the schema is: %s', async (_what, hostile, payload) => {
      const topic = await make({ schema: hostile, mode: 'enforce' })
      const startedAt = performance.now()
      expect([202, 422]).toContain((await publish(topic, payload)).status)
      // The wrong way takes minutes, or more time than there is.
      expect(performance.now() - startedAt).toBeLessThan(20_000)
    })
  })

  describe('an import', () => {
    const document = (name: string, given: object = {}) => ({
      openapi: '3.1.0',
      info: { title: 'Shop', version: '1' },
      webhooks: {
        [name]: {
          post: {
            summary: 'An order was made',
            tags: ['Orders'],
            requestBody: {
              content: {
                'application/json': { schema: { $ref: '#/components/schemas/Order' }, example: right },
              },
            },
            ...given,
          },
        },
      },
      components: {
        schemas: {
          Order: {
            ...schema,
            properties: { ...schema.properties, of: { $ref: '#/components/schemas/Order' } },
          },
        },
      },
    })
    const doImport = (body: object) => open().one.call('POST', '/v1/event-types/import', { body })

    test('makes types of an OpenAPI document’s webhooks, is idempotent, and keeps what the document does not say', async () => {
      const name = aName('imported')
      const dry = await doImport({ document: document(name), mode: 'warn', dry_run: true })
      expect(dry.json).toEqual({
        dry_run: true,
        created: 1,
        changed: 0,
        unchanged: 0,
        items: [{ name, result: 'created' }],
      })
      expectProblem(await open().one.call('GET', `/v1/event-types/${name}`), {
        status: 404,
        title: 'event type not found',
      })
      expect((await doImport({ document: document(name), mode: 'warn' })).json).toMatchObject({
        dry_run: false,
        created: 1,
      })
      const shown = (await open().two.call('GET', `/v1/event-types/${name}`)).json
      expect(shown).toMatchObject({
        description: 'An order was made',
        group: 'Orders',
        mode: 'warn',
        example: right,
        deprecated: false,
      })
      expect(await publish(name, { ...right, of: { id: 'x', items: [] } })).toMatchObject({
        status: 202,
        json: { warnings: [{ path: '/of/id' }] },
      })
      await change(name, { mode: 'enforce' })
      expect((await doImport({ document: document(name) })).json).toMatchObject({
        created: 0,
        changed: 0,
        unchanged: 1,
      })
      const again = document(name, { deprecated: true, summary: 'An order' })
      expect((await doImport({ document: again })).json.items).toEqual([{ name, result: 'changed' }])
      const after = (await open().two.call('GET', `/v1/event-types/${name}`)).json
      expect(after).toMatchObject({
        description: 'An order',
        group: 'Orders',
        mode: 'enforce',
        deprecated: true,
      })
    })

    test('leaves out an example that is not as the schema says, and says so', async () => {
      const name = aName('imported')
      const given = { requestBody: { content: { 'application/json': { schema, example: wrong } } } }
      const { items } = (await doImport({ document: document(name, given) })).json
      expect(items).toEqual([
        { name, result: 'created', note: expect.stringContaining('example.items[1].n') },
      ])
      expect((await open().one.call('GET', `/v1/event-types/${name}`)).json.example).toBeNull()
    })

    test.each([
      ['of a version without webhooks', { openapi: '3.0.3' }, 'document.openapi'],
      ['without webhooks', { openapi: '3.1.0' }, 'document.webhooks'],
      [
        'with a webhook that is no topic',
        { openapi: '3.1.0', webhooks: { 'a b': { post: {} } } },
        'webhook "a b"',
      ],
      ['with a webhook without an operation', { openapi: '3.1.0', webhooks: { a: {} } }, 'no operation'],
      [
        'that refers to another document',
        { openapi: '3.1.0', webhooks: { a: { $ref: 'other.json#/a' } } },
        'another document',
      ],
      [
        'with a schema that cannot be used',
        {
          openapi: '3.1.0',
          webhooks: {
            a: { post: { requestBody: { content: { 'application/json': { schema: { type: 'x' } } } } } },
          },
        },
        'webhook "a": schema.type',
      ],
    ])('refuses a document %s, and does nothing', async (_what, bad, detail) => {
      const answer = await doImport({ document: bad })
      expect(answer.status).toBe(422)
      expect(answer.json.detail).toContain(detail)
    })

    test('does all of a document or nothing', async () => {
      const name = aName('imported')
      const whole = document(name)
      const broken = { ...whole, webhooks: { ...whole.webhooks, 'a b': { post: {} } } }
      expect((await doImport({ document: broken })).status).toBe(422)
      expectProblem(await open().one.call('GET', `/v1/event-types/${name}`), {
        status: 404,
        title: 'event type not found',
      })
    })
  })
}

function deep(levels: number): object {
  return levels === 0 ? {} : { not: deep(levels - 1) }
}

/** Each level is looked at twice by the one above it, and fails only at the end. */
function branching(levels: number): object {
  const defs: Record<string, object> = { l0: { required: ['never'] } }
  for (let level = 1; level < levels; level++) {
    const below = { $ref: `#/$defs/l${level - 1}` }
    defs[`l${level}`] = { anyOf: [{ allOf: [below] }, { allOf: [below] }] }
  }
  return { $ref: `#/$defs/l${levels - 1}`, $defs: defs }
}
