/** The commands of rows S1.48 and S1.49, on a store of any kind. */
import { expect, test } from 'vitest'
import { createKey, migrateSchema, removeExpiredNow } from '../../src/server.ts'
import { noServer, runToEnd } from '../cli/run-cli.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { adminToken } from './a-server.ts'
import type { OpenServer } from './hookrail-rows.ts'

const masterKey = 'ab'.repeat(32)
const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

export function describeCommands(
  newStore: () => { readonly store: string; readonly open: OpenServer },
): void {
  /** With `--json`, and the real parts of a server behind it. */
  const outhook = async (...args: string[]) => {
    const server = { ...noServer, createKey, migrateSchema, removeExpiredNow }
    const env = { OUTHOOK_MASTER_KEY: masterKey }
    const { code, out, err } = await runToEnd([...args, '--json'], { server, env })
    expect([err, code]).toEqual([expect.any(String), 0])
    return JSON.parse(out)
  }

  test('S1.48 migrate, keys, admin-tokens, seed and retention do what they say, and say it in JSON', async () => {
    const { store, open } = newStore()
    expect(await outhook('migrate', '--store', store)).toMatchObject({ dry_run: false, from: 0 })
    expect(await outhook('migrate', '--store', store)).toMatchObject({ migrations: [] })
    const key = await outhook('keys', 'create', 'first', '--scope', 'a', '--store', store)
    expect(key).toMatchObject({ name: 'first', scopes: ['a'], key: expect.stringMatching(/^hk_/) })
    const token = await outhook('admin-tokens', 'create', 'ops', '--role', 'admin', '--store', store)
    expect(token).toMatchObject({ role: 'admin', token: expect.stringMatching(/^hkadm_/) })

    const receiver = await aReceiver()
    const server = await open({ dispatch: true, config: loopback })
    const at = ['--url', server.url, '--token', token.token]
    const seed = await outhook(
      'seed',
      '--to',
      receiver.url,
      '--topic',
      'demo.*',
      '--rate-limit',
      '100',
      ...at,
    )
    expect(seed).toEqual({
      producer_key: expect.stringMatching(/^hk_/),
      key_id: expect.stringMatching(/^key_/),
      endpoint_id: expect.stringMatching(/^ep_/),
      endpoint_secret: expect.stringMatching(/^whsec_/),
      subscription_id: expect.stringMatching(/^sub_/),
    })
    const ordered = await outhook('seed', '--to', receiver.url, '--topic', 'lines.*', '--ordered', ...at)
    const subscription = await outhook('subscriptions', 'get', ordered.subscription_id, ...at)
    expect(subscription).toMatchObject({ ordered: true, topic_patterns: ['lines.*'] })
    const asSeed = ['--url', server.url, '--token', seed.producer_key]
    const event = await outhook('publish', 'demo.created', '{"n":1}', ...asSeed)
    await receiver.waitFor((all) => all.some(({ eventId }) => eventId === event.event_id), patienceMs)
    await server.engine.events.wait('ten_00000000000000000000000000', event.event_id)
    expect((await outhook('keys', 'list', ...at)).items).toHaveLength(3)
    expect((await outhook('admin-tokens', 'list', ...at)).items).toHaveLength(1)
    await server.close()

    const kept = await outhook('retention', '--store', store)
    expect(kept).toMatchObject({ removed: { payloads: 0, attempts: 0, deliveries: 0, events: 0 } })
    const ages = ['payloads', 'attempts', 'dead-letters', 'events'].flatMap((what) => [
      `--retain-${what}`,
      '1ms',
    ])
    const removal = ['retention', '--store', store, '--idempotency-ttl', '1ms', ...ages]
    const gone = await outhook(...removal)
    // PostgreSQL keeps a delivery as long as the lease that it had may still be named.
    const rows = { payloads: 1, attempts: expect.any(Number), jobs: 0 }
    const others = { deliveries: expect.any(Number), events: expect.any(Number) }
    expect(gone).toEqual({
      store: expect.stringContaining(store.startsWith('sqlite') ? store : 'postgres'),
      removed: { ...rows, ...others },
      clock_trusted: true,
    })
  })

  test('S1.49 load-test publishes at its rate and says throughput, latency, duplicates and what is stranded', async () => {
    const { open } = newStore()
    const server = await open({ dispatch: true, config: loopback })
    const flags = ['--rate', '250', '--duration', '1s', '--bytes', '1000', '--patience', '60s']
    const report = await outhook('load-test', ...flags, '--url', server.url, '--token', adminToken)
    expect(report).toEqual({
      published: 250,
      refused: 0,
      events_per_second: expect.any(Number),
      received: 250,
      duplicates: 0,
      stranded: 0,
      accept_ms: percentiles,
      delivery_ms: percentiles,
      errors: {},
    })
    const { p50, p95, p99, max } = report.delivery_ms
    expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].toSorted((a, b) => a - b))
    expect(p50).toBeGreaterThan(0)
    expect(report.events_per_second).toBeGreaterThan(0)
    expect((await server.call('GET', '/v1/endpoints')).json.items).toEqual([])
  })
}

const number = expect.any(Number)
const percentiles = { p50: number, p95: number, p99: number, max: number }
