/** The commands for event types, on a real server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { runToEnd } from './run-cli.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({ closeWith: (close) => void closing.push(close) })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const run = (args: readonly string[], input?: string) =>
  runToEnd([...args, '--url', api.url, '--token', adminToken], input === undefined ? {} : { input })
const json = async (args: readonly string[], input?: string) => {
  const { code, out, err } = await run([...args, '--json'], input)
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

const document = `openapi: 3.1.0
webhooks:
  orders.imported:
    post:
      summary: An order was made
      tags: [Orders]
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Order' }
            example: { id: o_1 }
components:
  schemas:
    Order: { type: object, required: [id], properties: { id: { type: string } } }
`

test('a type is made with a schema of a file, shown, changed, deprecated, restored and deleted', async () => {
  const path = join(aDirectory(), 'schema.yaml')
  writeFileSync(path, 'type: object\nrequired: [id]\n')
  const made = await json([
    'event-types',
    'create',
    'orders.made',
    '--schema',
    path,
    '--mode',
    'enforce',
    '--group',
    'Orders',
  ])
  const schema = { type: 'object', required: ['id'] }
  expect(made).toMatchObject({
    name: 'orders.made',
    schema,
    mode: 'enforce',
    group: 'Orders',
    tenant_id: null,
  })
  const list = await run(['event-types', 'list', '--group', 'Orders'])
  expect(list.out).toMatch(/NAME +GROUP +MODE +SCHEMA +DEPRECATED +OF/)
  expect(list.out).toMatch(/orders\.made +Orders +enforce/)
  const refused = await run(['publish', 'orders.made', '{}'])
  expect([refused.code === 0, refused.err]).toEqual([
    false,
    expect.stringContaining('<payload> (id) is missing'),
  ])
  await json(['event-types', 'update', 'orders.made', '--mode', 'warn', '--example', '-'], '{"id":1}')
  const warned = await run(['publish', 'orders.made', '{}'])
  expect([warned.code, warned.out]).toEqual([0, expect.stringContaining('warning: payload.id is missing')])
  expect(await json(['event-types', 'deprecate', 'orders.made'])).toMatchObject({
    deprecated: true,
    example: { id: 1 },
  })
  expect((await json(['event-types', 'list', '--no-deprecated'])).items).toEqual([])
  expect(await json(['event-types', 'restore', 'orders.made'])).toMatchObject({ deprecated: false })
  const bare = [
    'event-types',
    'update',
    'orders.made',
    '--mode',
    'off',
    '--schema',
    'none',
    '--group',
    'none',
  ]
  expect(await json(bare)).toMatchObject({ schema: null, group: null, mode: 'off' })
  expect(await json(['event-types', 'delete', 'orders.made'])).toEqual({ name: 'orders.made', deleted: true })
  const gone = await run(['event-types', 'get', 'orders.made'])
  expect([gone.code === 0, gone.err]).toEqual([false, expect.stringContaining('no event type')])
})

test('an import takes YAML and JSON, says what it makes, changes and leaves, and does nothing with --dry-run', async () => {
  const path = join(aDirectory(), 'openapi.yaml')
  writeFileSync(path, document)
  const dry = await run(['event-types', 'import', path, '--dry-run'])
  expect(dry.out).toContain('1 event type would be created, 0 would be changed, 0 left as they are')
  expect((await run(['event-types', 'get', 'orders.imported'])).code).not.toBe(0)
  const made = await run(['event-types', 'import', path, '--mode', 'warn'])
  expect(made.out).toMatch(/orders\.imported +created/)
  const shown = await json(['event-types', 'get', 'orders.imported'])
  expect(shown).toMatchObject({
    description: 'An order was made',
    group: 'Orders',
    mode: 'warn',
    example: { id: 'o_1' },
  })
  const again = await json(['event-types', 'import', '-'], document)
  expect(again).toEqual({
    dry_run: false,
    created: 0,
    changed: 0,
    unchanged: 1,
    items: [{ name: 'orders.imported', result: 'unchanged' }],
  })
  const broken = await run(['event-types', 'import', '-'], 'a: [')
  expect([broken.code, broken.err]).toEqual([2, expect.stringContaining('standard input, line 1')])
  const other = await run(['event-types', 'import', '-'], '{"openapi":"3.0.0"}')
  expect([other.code === 0, other.err]).toEqual([false, expect.stringContaining('document.openapi')])
})
