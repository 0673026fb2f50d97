/** Strangers who ask for public keys, on a server whose store takes its time. */
import { expect, test } from 'vitest'
import { createIdFactory } from '../../src/core/ids.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

test('of those who ask without a token only so many are looked for at a time, and an endpoint once for all who ask for it', async () => {
  const gate = Promise.withResolvers<null>()
  const looked: string[] = []
  const tenantOf = (id: string) => {
    looked.push(id)
    return gate.promise
  }
  const wrapEngine = (engine: Engine): Engine => ({
    ...engine,
    tenants: new Proxy(engine.tenants, {
      get: (target, name) => (name === 'tenantOf' ? tenantOf : Reflect.get(target, name)),
    }),
  })
  const server = await aServer({ wrapEngine })
  const ids = createIdFactory(() => Date.now())
  const all = Array.from({ length: 64 }, () => ids.next('ep'))
  const ask = (id: string) => server.call('GET', `/v1/endpoints/${id}/public-keys`, { token: null })
  const waiting = [...all, ...all].map(ask)
  await expect.poll(() => looked.length).toBe(64)
  const refused = await ask(ids.next('ep'))
  expectProblem(refused, { status: 429, title: 'rate limited' })
  expect(refused.headers.get('retry-after')).toBe('1')
  gate.resolve(null)
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(404)
  expect((await ask(ids.next('ep'))).status).toBe(404)
  expect(new Set(looked).size).toBe(65)
})
