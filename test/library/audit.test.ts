import { afterAll, beforeAll, expect, test } from 'vitest'
import { Outhook } from '../../src/index.ts'

let hooks: Outhook
beforeAll(async () => {
  hooks = await Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
})
afterAll(() => hooks.close())

test('what a program changes is the library’s, of all tenants and of one', async () => {
  const { tenant } = await hooks.tenants.upsert({ uid: 'acme' })
  const acme = hooks.tenant('acme')
  const { endpoint } = await acme.endpoints.upsert({
    uid: 'billing',
    url: 'https://127.0.0.1/',
    topics: ['a'],
  })
  await acme.endpoints.upsert({ uid: 'billing', url: 'https://127.0.0.1/', topics: ['a'] })
  await acme.endpoints.upsert({ uid: 'billing', url: 'https://127.0.0.1/', topics: ['b'] })
  await hooks.eventTypes.create({ name: 'a' })
  const { items } = await hooks.audit.list()
  const library = { kind: 'library', id: null }
  expect(items).toMatchObject([
    { action: 'event_type.created', tenantId: null, actor: library },
    {
      action: 'endpoint.updated',
      objectId: endpoint.id,
      actor: library,
      before: { topics: ['a'] },
      after: { topics: ['b'] },
    },
    { action: 'endpoint.created', objectId: endpoint.id, actor: library },
    { action: 'tenant.created', objectId: tenant.id, actor: library },
  ])
  expect((await acme.audit.list()).items).toEqual(items.slice(1))
  const first = await hooks.audit.list({ action: 'endpoint.*' }, { limit: 1 })
  expect(first.items).toEqual([items[1]])
  const { nextCursor: cursor } = first
  expect((await hooks.audit.list({ action: 'endpoint.*' }, { limit: 1, cursor })).items).toEqual([items[2]])
})

test.each([
  [{ action: 'nonsense' }, 'action must be like'],
  [{ actorKind: 'nobody' }, 'no kind of actor nobody'],
  [{ objectKind: 'nothing' }, 'no kind of object nothing'],
  [{ actions: 'a.b' }, 'actions'],
  [{ since: 2, until: 1 }, 'since must be before until'],
])('a filter %j is refused', async (filter, message) => {
  const refusal = await hooks.audit.list(filter as never).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ message: expect.stringContaining(message) })
})
