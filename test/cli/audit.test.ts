/** The command for the audit log, on a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'

const closing: (() => Promise<void>)[] = []
let api: TestServer
beforeAll(async () => {
  api = await aServer({ closeWith: (close) => void closing.push(close) })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const run = (...args: readonly string[]) => runToEnd([...args, '--url', api.url, '--token', adminToken])
const linesOf = async (...args: readonly string[]) => {
  const { code, out, err } = await run('audit', 'list', ...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out).items
}

test('lines are listed with who and what, by action, actor, object and time', async () => {
  const made = JSON.parse((await run('keys', 'create', 'shop', '--json')).out)
  await run('keys', 'update', made.id, '--name', 'other')
  await run('event-types', 'create', 'orders.made')
  const all = await linesOf()
  expect(all.map(({ action }: { action: string }) => action)).toEqual([
    'event_type.created',
    'key.updated',
    'key.created',
  ])
  expect(all[1]).toMatchObject({
    actor: { kind: 'admin_token', id: null },
    object: { kind: 'key', id: made.id },
    before: { name: 'shop' },
    after: { name: 'other' },
  })
  expect(await linesOf('--action', 'key.*')).toEqual(all.slice(1))
  expect(await linesOf('--object', 'orders.made', '--object-kind', 'event_type')).toEqual(all.slice(0, 1))
  expect(await linesOf('--actor', 'adm_01h455vb4pex5vsknk084sn02q')).toEqual([])
  expect(await linesOf('--actor-kind', 'admin_token', '--limit', '1')).toEqual(all.slice(0, 1))
  expect(await linesOf('--until', '2026-01-31T00:00:00Z')).toEqual([])
  const { out } = await run('audit', 'list')
  expect(out).toContain('key.updated')
  expect(out).not.toContain(made.key)
})

test('an action that is none is a wrong use', async () => {
  const { code, err } = await run('audit', 'list', '--action', 'nonsense')
  expect(code).not.toBe(0)
  expect(err).toContain('action')
})
