/** `GET /v1/stats` and what is below it, on a store of any kind; `two` is another server on the same store, or the same one. */
import { describe, expect, test } from 'vitest'
import type { Receiver } from '../../../src/testing/receiver.ts'
import { patienceMs } from '../../patience.ts'
import type { CallOptions, TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'

interface Scene {
  readonly one: TestServer
  readonly two: TestServer
  readonly receiver: Receiver
}

const once = { max_attempts: 1, base: '1ms', factor: 1, cap: '1ms', jitter: 'none' }

export function describeStats(open: () => Scene): void {
  const post = async (path: string, body: object, options: CallOptions = {}) => {
    const answer = await open().one.call('POST', path, { body, ...options })
    expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
    return answer.json
  }
  const get = async (path: string, options: CallOptions = {}) => {
    const answer = await open().two.call('GET', path, options)
    expect([answer.text, answer.status]).toEqual([answer.text, 200])
    return answer.json
  }
  const aTenant = async (): Promise<string> => (await post('/v1/tenants', { uid: aName('figures') })).id

  /** Until it is as wanted, for as long as answers are shared and longer. */
  const eventually = async (path: string, isSo: (json: ReturnType<typeof JSON.parse>) => boolean) => {
    let found: ReturnType<typeof JSON.parse>
    const look = async () => {
      found = await get(path)
      return isSo(found)
    }
    await expect.poll(look, { timeout: patienceMs, interval: 100 }).toBe(true)
    return found
  }

  /** A tenant with an endpoint that takes what it gets, and one that answers 503 and is given up at once. */
  async function aTenantWithBoth() {
    const tenant = await aTenant()
    const { receiver } = open()
    const good = await post(`/v1/endpoints?tenant=${tenant}`, { url: `${receiver.url}/ok`, topics: ['good'] })
    const bad = await post(`/v1/endpoints?tenant=${tenant}`, {
      url: `${receiver.url}/status/503`,
      topics: ['bad'],
      uid: 'the-bad-one',
      retry_policy: once,
    })
    for (const topic of ['good', 'good', 'good', 'bad']) {
      await post(`/v1/events?tenant=${tenant}`, { topic, payload: {} })
    }
    await eventually(
      `/v1/stats?tenant=${tenant}`,
      ({ recent }) => recent.deliveries.succeeded === 3 && recent.deliveries.dead_lettered === 1,
    )
    return { tenant, good: good.id as string, bad: bad.id as string }
  }

  describe('figures', () => {
    test('say how it is now: of a tenant what it published, what came of it and what was given up for what', async () => {
      const { tenant } = await aTenantWithBoth()
      const stats = await get(`/v1/stats?tenant=${tenant}`)
      expect(stats).toMatchObject({
        tenant_id: tenant,
        recent: {
          events: 4,
          deliveries: { succeeded: 3, dead_lettered: 1, retry_scheduled: 0, cancelled: 0, skipped: 0 },
          attempts: [
            { outcome: 'success', count: 3 },
            { outcome: 'http_5xx', count: 1 },
          ],
          success_rate: 0.75,
        },
        dead_letters: { total: 1, last_day: [{ outcome: 'http_5xx', count: 1 }] },
        backlog: { deliveries: { pending: 0, in_flight: 0, succeeded: 3 }, oldest_due_seconds: null },
        nodes: [],
        store: null,
      })
      expect(stats.rates.events_per_second).toBeCloseTo(4 / stats.rates.window_seconds, 3)
      expect(stats.rates.deliveries_per_second).toBeCloseTo(3 / stats.rates.window_seconds, 3)
      expect(stats.rates.window_seconds).toBeGreaterThanOrEqual(60)
      const { p50, p99 } = stats.recent.publish_to_delivered_ms
      expect(p50).toBeGreaterThan(0)
      expect(p99).toBeGreaterThanOrEqual(p50)
      expect(stats.backlog.retries.map((each: { within_seconds: number }) => each.within_seconds)).toEqual([
        0,
        60,
        600,
        3600,
        21600,
        86400,
        null,
      ])
    })

    test('of all tenants they tell of the store and of every process that works on it', async () => {
      const isThere = ({ nodes }: { nodes: unknown[] }) =>
        nodes.length === (open().one === open().two ? 1 : 2)
      const { nodes, store, tenant_id } = await eventually('/v1/stats', isThere)
      expect(tenant_id).toBeNull()
      expect(store.size_bytes).toBeGreaterThan(0)
      expect(nodes.map(({ role }: { role: string }) => role)).toContain('all')
      for (const node of nodes) {
        expect(node).toMatchObject({ pid: process.pid, version: '0.1.0', in_flight: expect.any(Number) })
        expect(Math.abs(Date.parse(node.seen_at) - Date.now())).toBeLessThan(15_000)
      }
    })

    test('retries that wait are counted by when they are due', async () => {
      const tenant = await aTenant()
      const url = `${open().receiver.url}/status/500`
      const retry_policy = { delays: ['30m'], max_attempts: 3, jitter: 'none' }
      await post(`/v1/endpoints?tenant=${tenant}`, { url, topics: ['late'], retry_policy })
      await post(`/v1/events?tenant=${tenant}`, { topic: 'late', payload: {} })
      const waits = await eventually(
        `/v1/stats?tenant=${tenant}`,
        ({ backlog }) => backlog.deliveries.retry_scheduled === 1,
      )
      expect(waits.backlog.retries).toContainEqual({ within_seconds: 3600, count: 1 })
      expect(waits.backlog).toMatchObject({ oldest_due_seconds: null, retries_estimated: false })
    })

    test('over time they are buckets that follow one another, of a tenant or of one endpoint', async () => {
      const { tenant, good, bad } = await aTenantWithBoth()
      for (const [span, seconds, count] of [
        ['1h', 60, 60],
        ['24h', 600, 144],
        ['7d', 7200, 84],
        ['30d', 21_600, 120],
      ] as const) {
        const series = await get(`/v1/stats/series?span=${span}&tenant=${tenant}`)
        expect([series.span, series.bucket_seconds, series.buckets.length]).toEqual([span, seconds, count])
        const times = series.buckets.map(({ at }: { at: string }) => Date.parse(at))
        for (const [index, time] of times.entries()) expect(time).toBe(times[0] + index * seconds * 1000)
        const last = times.at(-1)
        expect(last <= Date.parse(series.read_at) && Date.parse(series.read_at) < last + seconds * 1000).toBe(
          true,
        )
        const sum = (of: (bucket: ReturnType<typeof JSON.parse>) => number) =>
          series.buckets.reduce((total: number, bucket: object) => total + of(bucket), 0)
        expect(sum(({ events }) => events)).toBe(4)
        expect(sum(({ deliveries }) => deliveries.succeeded)).toBe(3)
      }
      // Without the tenant an endpoint is found by its id alone.
      for (const [id, rate] of [
        [good, 1],
        [bad, 0],
      ] as const) {
        const { buckets } = await get(`/v1/stats/series?endpoint_id=${id}`)
        const busy = buckets.filter(({ attempts }: { attempts: unknown[] }) => attempts.length > 0)
        expect(busy.map(({ success_rate }: { success_rate: number }) => success_rate)).toEqual(
          busy.map(() => rate),
        )
        expect(busy.length).toBeGreaterThan(0)
      }
    })

    test('of many endpoints they are the last day by the hour, as they were named', async () => {
      const { tenant, good, bad } = await aTenantWithBoth()
      const found = await get(`/v1/stats/endpoints?endpoint_ids=${bad},${good}&tenant=${tenant}`)
      expect(found).toMatchObject({
        bucket_seconds: 3600,
        items: [
          { endpoint_id: bad, attempt_count: 1, success_rate: 0 },
          { endpoint_id: good, attempt_count: 3, success_rate: 1 },
        ],
      })
      const [, item] = found.items
      expect(item.success_rates).toHaveLength(24)
      expect(item.latency_p50s).toHaveLength(24)
      expect(item.attempt_counts.reduce((sum: number, count: number) => sum + count)).toBe(3)
      const other = await get(`/v1/stats/endpoints?endpoint_ids=${good}`)
      expect(other.items).toMatchObject([{ endpoint_id: good, attempt_count: 0, success_rate: null }])
    })

    test('endpoints in trouble come the worst first, with why', async () => {
      const { tenant, good, bad } = await aTenantWithBoth()
      const path = `/v1/stats/trouble?tenant=${tenant}`
      const one = await eventually(path, ({ items }) => items.length === 1)
      expect(one.items[0]).toMatchObject({
        endpoint_id: bad,
        tenant_id: tenant,
        uid: 'the-bad-one',
        kind: 'failing',
        reason: expect.stringMatching(/^failing: nothing has succeeded for /),
        until: null,
      })
      await post(`/v1/endpoints/${good}/pause?tenant=${tenant}`, {})
      const { items } = await eventually(path, (json) => json.items.length === 2)
      expect(items.map((item: { kind: string; reason: string }) => [item.kind, item.reason])[1]).toEqual([
        'paused',
        'paused by hand',
      ])
      expect((await get(`${path}&limit=1`)).items).toHaveLength(1)
      const everywhere = (await get('/v1/stats/trouble?limit=100')).items
      expect(everywhere.map(({ endpoint_id }: { endpoint_id: string }) => endpoint_id)).toContain(bad)
    })

    test('whoever is bound to a tenant sees that one alone', async () => {
      const { tenant, bad } = await aTenantWithBoth()
      const other = await aTenant()
      const body = { role: 'viewer', label: aName('looks') }
      const tokens = [
        (await post('/v1/admin-tokens', { ...body, tenant_id: other })).token,
        (await post(`/v1/tenants/${other}/portal-links`, { abilities: ['view'] })).token,
      ]
      for (const token of tokens) {
        const stats = await get('/v1/stats', { token })
        expect(stats).toMatchObject({ tenant_id: other, nodes: [], store: null, recent: { events: 0 } })
        expect((await get('/v1/stats/trouble', { token })).items).toEqual([])
        const { buckets } = await get(`/v1/stats/series?endpoint_id=${bad}`, { token })
        expect(buckets.every(({ attempts }: { attempts: unknown[] }) => attempts.length === 0)).toBe(true)
        const { items } = await get(`/v1/stats/endpoints?endpoint_ids=${bad}`, { token })
        expect(items).toMatchObject([{ attempt_count: 0 }])
        for (const path of ['/v1/stats', '/v1/stats/series', '/v1/stats/trouble']) {
          expectProblem(await open().two.call('GET', `${path}?tenant=${tenant}`, { token }), { status: 404 })
        }
      }
      const { key } = await open().one.producer()
      expectProblem(await open().two.call('GET', '/v1/stats', { token: key }), { status: 403 })
    })

    test('what many ask for within a second is read once', async () => {
      const tenant = await aTenant()
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(`/v1/stats?tenant=${tenant}`)))
      expect(new Set(answers.map(({ read_at }) => read_at)).size).toBeLessThanOrEqual(2)
    })

    test.each([
      ['/v1/stats/series?span=2h', 'span must be "1h", "24h", "7d" or "30d"'],
      ['/v1/stats/series?endpoint_id=ep_1', 'endpoint_id'],
      ['/v1/stats/endpoints', 'endpoint_ids'],
      ['/v1/stats/endpoints?endpoint_ids=', 'endpoint_ids'],
      ['/v1/stats/endpoints?endpoint_ids=ep_1,', 'endpoint_ids'],
      [
        `/v1/stats/endpoints?endpoint_ids=${Array(201).fill('ep_01h455vb4pex5vsknk084sn02q').join()}`,
        'name 1 to 200 endpoints',
      ],
      ['/v1/stats/trouble?limit=101', 'limit'],
    ])('%# what cannot be answered is refused, with what is wrong', async (path, named) => {
      const answer = await open().two.call('GET', path)
      expectProblem(answer, { status: 400, code: 'invalid_request' })
      expect(answer.json.detail).toContain(named)
    })
  })
}
