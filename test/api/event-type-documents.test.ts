/** The catalogue for the developers of those who receive events. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const schema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', description: 'of the <order>' }, to: { $ref: '#/$defs/address' } },
  $defs: { address: { type: 'object', properties: { city: { type: ['string', 'null'] } } } },
}
const hostile = '<script>alert(1)</script>"\'&'
const closing: (() => Promise<void>)[] = []
let server: TestServer
let open: TestServer
beforeAll(async () => {
  const closeWith = (close: () => Promise<void>) => void closing.push(close)
  server = await aServer({ closeWith })
  open = await aServer({ closeWith, publicEventTypes: true })
  for (const each of [server, open]) {
    const make = (body: object, query = '') => each.call('POST', `/v1/event-types${query}`, { body })
    await make({
      name: 'orders.created',
      group: 'Orders',
      description: 'An order\n\nWith more',
      schema,
      example: { id: 'o_1' },
    })
    await make({
      name: hostile,
      group: hostile,
      description: hostile,
      deprecated: true,
      example: { a: hostile },
    })
    await make({
      name: 'tree',
      schema: { $defs: { n: { $anchor: 'n', items: { $ref: '#n' } } }, $ref: '#n' },
    })
    await each.call('POST', '/v1/tenants', { body: { uid: 'acme' } })
    await make({ name: 'orders.created', description: 'of acme alone' }, '?tenant=acme')
  }
})
afterAll(() => Promise.all(closing.map((close) => close())))

describe('the catalogue as a document', () => {
  test('is OpenAPI 3.1 with webhooks, whose schemas lead to their own parts', async () => {
    const { json, headers } = await server.call('GET', '/v1/event-types/openapi.json')
    expect(headers.get('content-type')).toContain('application/json')
    expect(json.openapi).toBe('3.1.0')
    const { post } = json.webhooks['orders.created']
    expect(post).toMatchObject({
      summary: 'An order',
      description: 'An order\n\nWith more',
      tags: ['Orders'],
    })
    const at = '#/components/schemas/orders.created'
    expect(post.requestBody.content['application/json']).toEqual({
      schema: { $ref: at },
      example: { id: 'o_1' },
    })
    const written = json.components.schemas['orders.created']
    expect(written.properties.to).toEqual({ $ref: `${at}/$defs/address` })
    expect(json.components.schemas.tree.$id).toBe('urn:outhook:event-type:tree')
    expect(json.webhooks[hostile].post).toMatchObject({ deprecated: true, tags: [hostile] })
  })

  test('is imported again as it was', async () => {
    const { json } = await server.call('GET', '/v1/event-types/openapi.json')
    const { tree: _tree, [hostile]: _hostile, ...webhooks } = json.webhooks
    const document = { ...json, webhooks }
    const body = { document, dry_run: true }
    const report = await open.call('POST', '/v1/event-types/import?tenant=acme', { body })
    expect(report.json.items).toEqual([{ name: 'orders.created', result: 'changed' }])
  })

  test('is AsyncAPI 3 with a message for each', async () => {
    const { json } = await server.call('GET', '/v1/event-types/asyncapi.json')
    expect(json).toMatchObject({ asyncapi: '3.0.0' })
    expect(json.channels['orders.created'].address).toBe('orders.created')
    const { payload, examples } = json.components.messages['orders.created']
    expect(payload.schema.properties.to.$ref).toBe(
      '#/components/messages/orders.created/payload/schema/$defs/address',
    )
    expect(examples).toEqual([{ payload: { id: 'o_1' } }])
  })

  test('of a tenant has what holds for it', async () => {
    const { json } = await server.call('GET', '/v1/event-types/openapi.json?tenant=acme')
    expect(json.webhooks['orders.created'].post.summary).toBe('of acme alone')
    expect(Object.keys(json.webhooks)).toContain('tree')
  })
})

describe('the page', () => {
  test('shows groups, members, examples and schemas as text, with one stylesheet and no script', async () => {
    const { text, headers } = await server.call('GET', '/v1/event-types/index.html')
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; style-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(text).not.toMatch(/<script|\sstyle=|\son\w+=|<style/)
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;')
    expect(text).toContain('of the &lt;order&gt;')
    expect(text).toMatch(/<code>to\.city<\/code><\/td><td>string or null/)
    expect(text).toMatch(/<code>id<\/code><\/td><td>string<\/td><td>always/)
    expect(text).toContain('<strong>deprecated</strong>')
    expect(text).toContain('href="../../event-types/style.css"')
    const style = await server.call('GET', '/event-types/style.css', { token: null })
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
  })

  test('is behind a token, unless the setting says that it is public; then it is the server’s catalogue', async () => {
    expectProblem(await server.call('GET', '/v1/event-types/index.html', { token: null }), { status: 401 })
    for (const path of ['/event-types/', '/event-types/openapi.json', '/event-types/asyncapi.json']) {
      expectProblem(await server.call('GET', path, { token: null }), { status: 404 })
      expectProblem(await server.call('GET', path, { token: adminToken }), { status: 404 })
      const shown = await open.call('GET', path, { token: null })
      expect(shown.status).toBe(200)
      expect(shown.text).toContain('orders.created')
      expect(shown.text).not.toContain('of acme alone')
    }
  })

  test('and its documents take no name of a type', async () => {
    for (const name of ['openapi.json', 'asyncapi.json', 'index.html']) {
      const answer = await server.call('POST', '/v1/event-types', { body: { name } })
      expectProblem(answer, { status: 422, detail: 'choose another' })
    }
  })
})
