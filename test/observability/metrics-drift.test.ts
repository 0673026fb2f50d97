/** What a running server exposes after a script of all that it counts, held against the one table of metrics. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { type MetricInfo, metricTable, processMetricTable } from '../../src/observability/metric-table.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { type ExposedMetric, readExposition } from './exposition.ts'

const token = 'metrics-drift-admin'
let receiver: Receiver
let server: RunningServer

beforeAll(async () => {
  receiver = await startReceiver()
  const flags = {
    store: 'memory:',
    port: 0,
    adminToken: token,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    // Not there: what is told of it says so.
    outboxes: ['sqlite:no-such-folder/app.db'],
  }
  server = await startServer(loadConfig({ flags }), {
    log: silentLogger,
    onMasterKeyCreated: () => undefined,
  })
})

afterAll(async () => {
  await server.close()
  await receiver.close()
})

async function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as { readonly id: string } }
}

async function scrape(): Promise<readonly ExposedMetric[]> {
  return readExposition(await (await fetch(`${server.url}/metrics`)).text())
}

async function runScript(): Promise<void> {
  for (const [path, topic] of [
    ['/succeed', 'good'],
    ['/status/422', 'bad'],
    ['/status/503', 'down'],
    ['/status/410', 'gone'],
  ]) {
    expect((await post('/v1/endpoints', { url: `${receiver.url}${path}`, topics: [topic] })).status).toBe(201)
  }
  const key = { 'idempotency-key': 'k' }
  const answers = [
    await post('/v1/events', { topic: 'good', payload: 1 }, key),
    await post('/v1/events', { topic: 'good', payload: 1 }, key),
    await post('/v1/events', { topic: 'good', payload: 2 }, key),
    await post('/v1/events', '{'),
    await post('/v1/events', '{', { authorization: 'Bearer nobody' }),
    await post('/v1/events', { topic: 'bad', payload: 1 }),
    await post('/v1/events', { topic: 'down', payload: 1 }),
    await post('/v1/events', { topic: 'gone', payload: 1 }),
    await post('/v1/nowhere', {}),
  ]
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 409, 400, 401, 202, 202, 202, 404])
  await receiver.waitFor(4, patienceMs)
  await expect
    .poll(
      async () => (await scrape()).find(({ name }) => name === 'outhook_delivery_attempts_total')?.series,
      {
        timeout: patienceMs,
      },
    )
    .toBe(4)
}

function described(table: Readonly<Record<string, MetricInfo>>) {
  return Object.entries(table).map(([name, { type, help, labels }]) => ({
    name,
    type,
    help,
    labels: Object.keys(labels).sort(),
  }))
}

const byName = (one: { readonly name: string }, other: { readonly name: string }) =>
  one.name < other.name ? -1 : 1

test('S1.46 names, types, labels and help of what a scripted run exposes are those of the table of metrics', async () => {
  await runScript()
  const exposed = (await scrape()).map(({ series, ...rest }) => rest)
  const own = exposed.filter(({ name }) => name.startsWith('outhook_'))
  expect(own.sort(byName)).toEqual(described(metricTable).sort(byName))
})

test('what is exposed of the process stands in the table of the process, with the same type and help', async () => {
  const known = new Map(described(processMetricTable).map((metric) => [metric.name, metric]))
  const others = (await scrape()).filter(({ name }) => !name.startsWith('outhook_'))
  expect(others.length).toBeGreaterThan(20)
  for (const { name, type, help, labels } of others) {
    expect(known.get(name)).toMatchObject({ type, help })
    // Of what has not happened yet, such as a garbage collection, there is no sample and so no label.
    expect(known.get(name)?.labels).toEqual(expect.arrayContaining([...labels]))
  }
})

test('fifty tenants with an endpoint, events and wrong paths of their own add no time series', async () => {
  const count = async () =>
    new Map(
      (await scrape())
        .filter(({ name }) => name.startsWith('outhook_'))
        .map(({ name, series }) => [name, series]),
    )
  const work = async (n: number): Promise<void> => {
    const { json } = await post('/v1/tenants', { uid: `tenant-${n}`, name: `Tenant ${n}` })
    const tenant = `?tenant=${json.id}`
    const url = `${receiver.url}/succeed?${n}`
    await post(`/v1/endpoints${tenant}`, { url, topics: [`topic.${n}`] })
    expect((await post(`/v1/events${tenant}`, { topic: `topic.${n}`, payload: n })).status).toBe(202)
    await post(`/v1/nowhere/${n}${tenant}`, {})
  }
  await work(0)
  const before = await count()
  await Promise.all(Array.from({ length: 50 }, (_, index) => work(index + 1)))
  await receiver.waitFor(55, patienceMs)
  expect(await count()).toEqual(before)
})
