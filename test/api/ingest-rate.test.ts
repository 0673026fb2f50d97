/** How fast a producer key may publish. */
import { describe, expect, test } from 'vitest'
import { KeyRates } from '../../src/engine/key-rates.ts'
import type { KeyTokens } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

async function aLimitedServer(rate: object, config: { readonly ingestRate?: number } = {}) {
  const clock = createManualClock()
  const server = await aServer({ clock, ...config })
  const { json } = await server.call('POST', '/v1/keys', { body: { name: 'shop', ...rate } })
  const token: string = json.key
  const body = { topic: 'a', payload: 1 }
  const publish = (given: object = {}) => server.call('POST', '/v1/events', { token, body, ...given })
  const statuses = async (count: number, given?: object) => {
    const found: number[] = []
    for (let n = 0; n < count; n++) found.push((await publish(given)).status)
    return found
  }
  return { server, clock, token, publish, statuses }
}

describe('the rate of a key', () => {
  test('S1.14 beyond two seconds’ worth an event is 429 with whole seconds to wait, and taken after them', async () => {
    const { server, clock, publish, statuses } = await aLimitedServer({ rate_limit_rps: 5 })
    expect(await statuses(10)).toEqual(Array(10).fill(202))
    const refused = await publish()
    expectProblem(refused, {
      status: 429,
      code: 'rate_limited',
      title: 'rate limited',
      detail: 'per-key ingest rate exceeded',
    })
    expect(refused.headers.get('retry-after')).toBe('1')
    await clock.advance(1000)
    expect(await statuses(6)).toEqual([...Array(5).fill(202), 429])
    const metrics = await server.metrics.render()
    expect(metrics).toContain('outhook_ingest_events_total{result="accepted"} 15')
    expect(metrics).toContain('outhook_ingest_events_total{result="limited"} 2')
  })

  test('asks for at most ten seconds, however slow it is', async () => {
    const { publish } = await aLimitedServer({ rate_limit_rps: 0.01 })
    expect((await publish()).status).toBe(202)
    expect((await publish()).headers.get('retry-after')).toBe('10')
  })

  test('comes before the body is looked at, and after the token', async () => {
    const { server, publish, statuses } = await aLimitedServer({ rate_limit_rps: 1 })
    await statuses(2)
    for (const body of ['{', 'x'.repeat(300_000), { topic: 'a' }]) {
      expect((await publish({ body })).status).toBe(429)
    }
    const wrong = await server.call('POST', '/v1/events', { token: 'hk_x', body: { topic: 'a', payload: 1 } })
    expect(wrong.status).toBe(401)
  })

  test('is spent by what is refused and by what was published before, once each', async () => {
    const { publish, statuses } = await aLimitedServer({ rate_limit_rps: 2 })
    const headers = { 'idempotency-key': 'once' }
    expect((await publish({ headers })).status).toBe(202)
    expect((await publish({ headers })).headers.get('idempotent-replay')).toBe('true')
    expect((await publish({ body: '{' })).status).toBe(400)
    expect((await publish({ body: { topic: 'a b', payload: 1 } })).status).toBe(400)
    expect(await statuses(1)).toEqual([429])
  })

  test('counts each event of a batch, and refuses those for which there is no token', async () => {
    const { server, clock, token } = await aLimitedServer({ rate_limit_rps: 2 })
    const batch = (count: number) =>
      server.call('POST', '/v1/events/batch', {
        token,
        body: { events: Array.from({ length: count }, () => ({ topic: 'a', payload: 1 })) },
      })
    const statusesOf = async (count: number) =>
      (await batch(count)).json.items.map(({ status }: { status: number }) => status)
    expect(await statusesOf(6)).toEqual([202, 202, 202, 202, 429, 429])
    expectProblem(await batch(1), { status: 429, detail: 'per-key ingest rate exceeded' })
    await clock.advance(1000)
    expect(await statusesOf(3)).toEqual([202, 202, 429])
  })

  test('is a key’s own: no other key, no admin and no reading is held up by it', async () => {
    const { server, token, statuses } = await aLimitedServer({ rate_limit_rps: 1 })
    expect(await statuses(3)).toEqual([202, 202, 429])
    const other = await server.producer()
    expect(await statuses(3, { token: other.key })).toEqual([202, 202, 202])
    expect(await statuses(1, { token: undefined })).toEqual([202])
    expect((await server.call('GET', '/v1/whoami', { token })).status).toBe(200)
  })

  test('is the server’s where the key has none, and changes with the key at once', async () => {
    const { server, token, statuses } = await aLimitedServer({}, { ingestRate: 1 })
    expect(await statuses(3)).toEqual([202, 202, 429])
    const { key_id: id } = (await server.call('GET', '/v1/whoami', { token })).json
    await server.call('PATCH', `/v1/keys/${id}`, { body: { rate_limit_rps: 1_000_000 } })
    expect(await statuses(3)).toEqual([202, 202, 202])
  })
})

describe('a rate that several processes share', () => {
  /** What a store does for all of them, and how often it was asked. */
  function aStore(has: number) {
    let left = has
    const asked: number[] = []
    const tokens: KeyTokens = {
      async take(_keyId, { count }) {
        asked.push(count)
        const taken = Math.min(left, count)
        left -= taken
        return { count: taken, waitMs: taken < count ? 300 : 0 }
      },
    }
    const fill = (count: number): void => {
      left += count
    }
    return { tokens, asked, fill }
  }

  test('is fetched in handfuls, so that most events cost no round trip', async () => {
    const { tokens, asked } = aStore(1000)
    const rates = new KeyRates({ clock: createManualClock(), tokens })
    for (let n = 0; n < 100; n++) {
      expect(await rates.take('key_1', { rps: 500, count: 1 })).toMatchObject({ count: 1 })
    }
    expect(asked).toEqual([25, 25, 25, 25])
  })

  test('is asked for once by all who wait, and refused without asking until there is more', async () => {
    const clock = createManualClock()
    const { tokens, asked, fill } = aStore(3)
    const rates = new KeyRates({ clock, tokens })
    const take = () => rates.take('key_1', { rps: 10, count: 1 })
    const all = await Promise.all(Array.from({ length: 6 }, take))
    expect(all.map(({ count }) => count).sort()).toEqual([0, 0, 0, 1, 1, 1])
    const times = asked.length
    expect(await take()).toEqual({ count: 0, waitMs: 300 })
    expect(asked).toHaveLength(times)
    fill(1)
    await clock.advance(300)
    expect(await take()).toMatchObject({ count: 1 })
  })

  test('gives back by leaving them what was fetched and not used within a second', async () => {
    const clock = createManualClock()
    const { tokens, asked } = aStore(100)
    const rates = new KeyRates({ clock, tokens })
    await rates.take('key_1', { rps: 200, count: 1 })
    await clock.advance(1000)
    await rates.take('key_1', { rps: 200, count: 1 })
    expect(asked).toEqual([10, 10])
  })
})
