import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { type LogFields, silentLogger } from '../../src/core/logger.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const address = 'connect ECONNREFUSED 10.1.2.3:5432'

/** Whatever is asked of it fails as a store that is out of reach does. */
function unreachable(engine: Engine): Engine {
  const fail = () => {
    throw new OuthookError('store_unavailable', `PostgreSQL cannot be used now: ${address}; check the server`)
  }
  const part = new Proxy({}, { get: () => async () => fail() })
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'ping') return async () => fail()
      if (name === 'publisher') {
        const publishMany = async (all: readonly unknown[]) =>
          all.map(() => ({ status: 'rejected', reason: new OuthookError('store_unavailable', address) }))
        return { publish: async () => fail(), publishMany }
      }
      const member = Reflect.get(target, name)
      return typeof member === 'object' && name !== 'activity' ? part : member
    },
  })
}

test('a 503 names no address, on any route; the log does, once for many', async () => {
  const lines: { readonly fields: LogFields; readonly message: string }[] = []
  const logger = {
    ...silentLogger,
    warn: (fields: LogFields, message: string) => lines.push({ fields, message }),
  }
  const server = await aServer({ logger, wrapEngine: unreachable })
  const id = '0'.repeat(26)
  const event = { topic: 'a', payload: 1 }
  const calls: readonly [string, string, { readonly body?: unknown; readonly token?: string }][] = [
    ['GET', '/readyz', {}],
    ['POST', '/v1/events', { body: event }],
    ['POST', '/v1/events/batch', { body: { events: [event] } }],
    ['GET', `/v1/events/evt_${id}`, {}],
    ['GET', '/v1/whoami', { token: 'hk_unknown' }],
    ['GET', '/v1/events', {}],
    ['GET', '/v1/endpoints', {}],
    ['POST', `/v1/endpoints/ep_${id}/rotate-secret`, {}],
    ['DELETE', `/v1/subscriptions/sub_${id}`, {}],
    ['GET', '/v1/deliveries', {}],
    ['POST', `/v1/deliveries/dlv_${id}/skip`, {}],
    ['GET', '/v1/ordered-keys', {}],
    ['GET', '/v1/dlq', {}],
    ['POST', '/v1/keys', { body: { name: 'a' } }],
  ]
  for (const [method, path, call] of calls) {
    const answer = await server.call(method, path, call)
    expectProblem(answer, { status: 503, code: 'store_unavailable' })
    expect(answer.text).not.toMatch(/\d+\.\d+\.\d+\.\d+|:\d{2,}\b[^,"]|ECONN|PostgreSQL/)
    expect(answer.headers.get('retry-after')).toBe('1')
  }
  expect(lines).toHaveLength(1)
  expect(lines[0]?.fields.err).toMatchObject({ cause: { message: expect.stringContaining(address) } })
})
