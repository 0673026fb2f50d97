/** Filters on the command line, on a real server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { runToEnd } from './run-cli.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
let endpoint: string
beforeAll(async () => {
  api = await aServer({
    config: { allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => void closing.push(close),
  })
  endpoint = (await json('endpoints', 'create', 'https://127.0.0.1/hook')).id
})
afterAll(() => Promise.all(closing.map((close) => close())))

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', adminToken])
const json = async (...args: string[]) => {
  const { code, out, err } = await run(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}
/** With this text in it, as `@file`. */
function aFile(text: string): string {
  const path = join(aDirectory(), 'filter.json')
  writeFileSync(path, text)
  return `@${path}`
}

const filter = { total: { $gte: 100 }, tags: 'gift' }
const create = () => ['subscriptions', 'create', endpoint, '--topic', 'orders.*']

test('a subscription is made with a filter, which is changed out of a file and taken away', async () => {
  const made = await json(...create(), '--filter', JSON.stringify(filter))
  expect(made.filter).toEqual(filter)
  const update = (given: string) => json('subscriptions', 'update', made.id, '--filter', given)
  expect(await update(aFile('{\n  "type": {"$in": ["a", "b"]}\n}\n'))).toMatchObject({
    filter: { type: { $in: ['a', 'b'] } },
    topic_patterns: ['orders.*'],
  })
  expect((await json('subscriptions', 'get', made.id)).filter).toEqual({ type: { $in: ['a', 'b'] } })
  expect((await json('subscriptions', 'update', made.id, '--topic', 'a')).filter).not.toBeNull()
  expect((await update('none')).filter).toBeNull()
})

test('an endpoint is made with topics and a filter out of a file', async () => {
  const url = 'https://127.0.0.1/filtered'
  const made = await json(
    'endpoints',
    'create',
    url,
    '--topic',
    'orders.*',
    '--filter',
    aFile(JSON.stringify(filter)),
  )
  const { items } = await json('subscriptions', 'list', '--endpoint', made.id)
  expect(items).toMatchObject([{ filter, topic_patterns: ['orders.*'] }])
})

const wrong = [
  [
    'text that is not JSON',
    '{total: 1}',
    /--filter.*@ and the name of a file with one, or none \(this is not JSON/,
  ],
  [
    'a file that is not there',
    '@/nowhere/filter.json',
    /--filter.*The file \/nowhere\/filter\.json cannot be read \(ENOENT\)/,
  ],
  [
    'an operator that is not known',
    '{"total":{"$regex":"x"}}',
    /--filter \(total\.\$regex\) is no operator; operators are \$eq, /,
  ],
  ['an empty list', '{"total":{"$in":[]}}', /--filter \(total\.\$in\) must not be empty/],
  ['a list in place of an object', '[1]', /filter/],
  ['a number in place of an object', '5', /filter/],
] as const

test.each(wrong)(
  '%s ends create, update and preview with 2 and the reason, and changes nothing',
  async (_what, given, reason) => {
    const { id } = await json(...create())
    const { items: before } = await json('subscriptions', 'list', '--limit', '100')
    for (const args of [create(), ['subscriptions', 'update', id], ['subscriptions', 'preview']]) {
      const { code, out, err } = await run(...args, '--filter', given)
      expect([args, code, out]).toEqual([args, 2, ''])
      expect(err.replaceAll(/\s+/g, ' ')).toMatch(reason)
    }
    expect((await json('subscriptions', 'list', '--limit', '100')).items).toEqual(before)
  },
)

test('the place in a file that is not JSON is told', async () => {
  const { code, err } = await run(...create(), '--filter', aFile('{"total": }'))
  expect([code, err]).toEqual([2, expect.stringContaining('this is not JSON: Unexpected token')])
})

test('a preview shows which recent events pass, and why the others do not', async () => {
  const publish = (payload: object) => run('publish', 'orders.paid', JSON.stringify(payload))
  await publish({ total: 150, tags: ['gift'] })
  await publish({ total: 50, tags: ['gift'] })
  await run('publish', 'users.new', '{"total":500}')
  const preview = (...args: string[]) =>
    run('subscriptions', 'preview', '--filter', JSON.stringify(filter), '--topic', 'orders.*', ...args)
  const { code, out } = await preview()
  expect(code).toBe(0)
  expect(out).toContain('total: {"$gte":100}, is 50')
  expect(out).not.toContain('users.new')
  const answer = JSON.parse((await preview('--json')).out)
  expect(answer).toMatchObject({
    passed: 1,
    items: [
      { passes: false, reason: 'filter', failed: { path: 'total', condition: { $gte: 100 }, found: '50' } },
      { passes: true, reason: null, failed: null },
    ],
  })
  expect(JSON.parse((await preview('--json', '--last', '1')).out).items).toHaveLength(1)
})

test('a preview looks at a payload that is given, also out of a file', async () => {
  const preview = async (payload: string) => {
    const given = ['--filter', aFile(JSON.stringify(filter)), '--payload', payload]
    return (await json('subscriptions', 'preview', ...given)).items
  }
  expect(await preview('{"total":100,"tags":"gift"}')).toMatchObject([{ passes: true, event_id: null }])
  expect(await preview(aFile('{"total":100}'))).toMatchObject([
    { passes: false, failed: { path: 'tags', condition: 'gift', found: null } },
  ])
})

test('a publish that no filter lets through says so', async () => {
  const other = (await json('endpoints', 'create', 'https://127.0.0.1/other')).id
  await json('subscriptions', 'create', other, '--topic', 'quiet', '--filter', '{"never":true}')
  const { code, out, err } = await run('publish', 'quiet', '{"never":false}')
  expect(code).toBe(0)
  expect(out + err).toMatch(/filter/)
})

test('events are listed by a pattern of topics, ordering key, metadata and the state of a delivery', async () => {
  const publish = (topic: string, ...more: string[]) => json('publish', topic, '{"a": 1}', ...more)
  await publish('found.first', '--ordering-key', 'k-1', '--meta', 'source=shop')
  await publish('found.second')
  const list = async (...args: string[]) =>
    (await json('events', 'list', ...args)).items.map((event: { readonly topic: string }) => event.topic)
  expect(await list('--topic-pattern', 'found.*')).toEqual(['found.second', 'found.first'])
  expect(await list('--topic-pattern', 'found.*', '--ordering-key', 'k-1')).toEqual(['found.first'])
  expect(await list('--meta', 'source=shop')).toEqual(['found.first'])
  expect(await list('--topic-pattern', 'found.*', '--delivery-state', 'dead_lettered')).toEqual([])
  expect((await run('events', 'list', '--delivery-state', 'lost')).code).toBe(2)
})
