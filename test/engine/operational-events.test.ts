/** That a change of an endpoint makes one event, whatever happens between its commit and the event's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { anApp, aReceiver, publish, type TestApp, tenant } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

const hook = 'https://127.0.0.1/hook'

async function aWatchedEndpoint({ engine }: TestApp): Promise<string> {
  await engine.endpoints.create(tenant, { url: hook, topics: ['endpoint.disabled', 'endpoint.recovered'] })
  return (await engine.endpoints.create(tenant, { url: hook, topics: ['a'] })).endpoint.id
}

async function toldTopics({ engine }: TestApp): Promise<readonly unknown[]> {
  const { items } = await engine.events.list(tenant, {}, {})
  return items.map(({ topic }) => topic)
}

function aFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-told-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return `sqlite:${join(directory, 'a.db')}`
}

test('what a process left that died before it published is published by the next one', async () => {
  const store = aFile()
  const seesNone = (inner: Store): Store => ({ ...inner, listNotices: async () => [] })
  const first = await anApp({ store, dispatch: false, wrapStore: seesNone })
  const id = await aWatchedEndpoint(first)
  await first.engine.endpoints.update(tenant, id, { enabled: false })
  await first.engine.endpoints.update(tenant, id, { enabled: true })
  expect(await toldTopics(first)).toEqual([])
  await first.close()
  const second = await anApp({ store, dispatch: false })
  await expect
    .poll(() => toldTopics(second), { timeout: patienceMs })
    .toEqual(['endpoint.recovered', 'endpoint.disabled'])
})

test('a process that dies between the event and the end of its notice makes no second event', async () => {
  const store = aFile()
  let published = 0
  const forgetsNothing = (inner: Store): Store => ({
    ...inner,
    async removeNotice() {
      published += 1
      throw new Error('the process died here')
    },
  })
  const first = await anApp({ store, dispatch: false, wrapStore: forgetsNothing })
  const id = await aWatchedEndpoint(first)
  await first.engine.endpoints.update(tenant, id, { enabled: false })
  await expect.poll(() => published, { timeout: patienceMs }).toBeGreaterThan(1)
  expect(await toldTopics(first)).toEqual(['endpoint.disabled'])
  await first.close()
  let removed = 0
  const countsEnds = (inner: Store): Store => ({
    ...inner,
    async removeNotice(...of) {
      const isLast = await inner.removeNotice(...of)
      removed += 1
      return isLast
    },
  })
  const second = await anApp({ store, dispatch: false, wrapStore: countsEnds })
  await expect.poll(() => removed, { timeout: patienceMs }).toBe(1)
  expect(await toldTopics(second)).toEqual(['endpoint.disabled'])
})

test('the operator is told once of an endpoint that is enabled again, and why it was disabled', async () => {
  const app = await anApp({ dispatch: false })
  const told: unknown[] = []
  app.engine.activity.on('endpointEnabled', (enabled) => told.push(enabled))
  const { id } = (await app.engine.endpoints.create(tenant, { url: hook, topics: ['a'] })).endpoint
  await app.engine.endpoints.update(tenant, id, { enabled: false })
  await app.engine.endpoints.update(tenant, id, { enabled: true })
  await app.engine.endpoints.update(tenant, id, { enabled: true })
  const once = [{ tenantId: tenant, endpointId: id, reason: 'operator' }]
  await expect.poll(() => told, { timeout: patienceMs }).toEqual(once)
  await app.engine.endpoints.update(tenant, id, { enabled: false })
  await app.engine.endpoints.update(tenant, id, { enabled: true })
  await expect.poll(() => told, { timeout: patienceMs }).toEqual([...once, ...once])
})

const dead = ['delivery.dead_lettered', 'orders.created']

/** Two topics: that of the event whose delivery dies, and that of the watcher. */
async function aDyingDelivery(app: TestApp): Promise<void> {
  const receiver = await aReceiver()
  const { endpoints } = app.engine
  await endpoints.create(tenant, { url: `${receiver.url}/status/400`, topics: ['orders.*'] })
  await endpoints.create(tenant, { url: `${receiver.url}/hook`, topics: ['delivery.dead_lettered'] })
  await publish(app.engine)
}

test('a dead letter of a process that died before it told of it is told by the next one', async () => {
  const store = aFile()
  const seesNone = (inner: Store): Store => ({ ...inner, listDeliveryNotices: async () => [] })
  const first = await anApp({ store, wrapStore: seesNone })
  await aDyingDelivery(first)
  await first.attempted(1)
  await first.close()
  const second = await anApp({ store, dispatch: false })
  await expect.poll(() => toldTopics(second), { timeout: patienceMs }).toEqual(dead)
})

test('a process that dies between the event of a dead letter and the end of its notice makes no second event', async () => {
  const store = aFile()
  let published = 0
  const forgetsNothing = (inner: Store): Store => ({
    ...inner,
    async removeDeliveryNotices() {
      published += 1
      throw new Error('the process died here')
    },
  })
  const first = await anApp({ store, wrapStore: forgetsNothing })
  await aDyingDelivery(first)
  await expect.poll(() => published, { timeout: patienceMs }).toBeGreaterThan(1)
  expect(await toldTopics(first)).toEqual(dead)
  await first.close()
  const removed: number[] = []
  const countsEnds = (inner: Store): Store => ({
    ...inner,
    async removeDeliveryNotices(notices) {
      await inner.removeDeliveryNotices(notices)
      removed.push(notices.length)
    },
  })
  const second = await anApp({ store, dispatch: false, wrapStore: countsEnds })
  await expect.poll(() => removed, { timeout: patienceMs }).toEqual([1])
  expect(await toldTopics(second)).toEqual(dead)
})

test('a delivery is failing once, after as many attempts as is configured, and with 0 never', async () => {
  const policy = { delays: ['1ms'], max_attempts: 5, jitter: 'none' }
  for (const [failingAfter, expected] of [
    [2, [2]],
    [0, []],
  ] as const) {
    const app = await anApp({ options: { failingAfter } })
    const receiver = await aReceiver()
    const told: number[] = []
    app.engine.activity.on('deliveryFailing', ({ attemptNo }) => told.push(attemptNo))
    const url = `${receiver.url}/status/503`
    await app.engine.endpoints.create(tenant, { url, topics: ['*'], retryPolicy: policy })
    await publish(app.engine)
    await app.attempted(5)
    expect(told).toEqual(expected)
  }
})
