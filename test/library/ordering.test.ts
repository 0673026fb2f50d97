/** Ordered subscriptions in a program. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { BacklogFullError, Outhook, OuthookError } from '../../src/index.ts'
import { outOfOrder, startOrderedReceiver } from '../ordered-receiver.ts'
import { patienceMs } from '../patience.ts'

const cap = 2
let hooks: Outhook
beforeAll(async () => {
  hooks = await Outhook.open({
    store: 'memory:',
    dispatch: false,
    orderedKeyBacklogMax: cap,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
  })
  return () => hooks.close()
})

let topics = 0

async function anOrderedTopic(of: Pick<Outhook, 'endpoints' | 'subscriptions'> = hooks) {
  const topic = `ordered.${++topics}`
  const { endpoint } = await of.endpoints.create({ url: 'http://127.0.0.1:9/' })
  const subscription = await of.subscriptions.create({
    endpointId: endpoint.id,
    topicPatterns: [topic],
    ordered: true,
  })
  return { topic, subscription }
}

test('a subscription says whether it is ordered, which cannot be changed and has to be a boolean', async () => {
  const { subscription } = await anOrderedTopic()
  const { id, endpointId } = subscription
  expect(subscription.ordered).toBe(true)
  expect(await hooks.subscriptions.update(id, { ordered: true })).toMatchObject({ ordered: true })
  const change = hooks.subscriptions.update(id, { ordered: false })
  await expect(change).rejects.toMatchObject({ code: 'conflict', title: 'ordered immutable' })
  const input = { endpointId, topicPatterns: ['a'] }
  expect(await hooks.subscriptions.create(input)).toMatchObject({ ordered: false })
  for (const ordered of ['yes', 1, null] as never[]) {
    const made = hooks.subscriptions.create({ ...input, ordered })
    await expect(made, String(ordered)).rejects.toMatchObject({
      code: 'unprocessable',
      message: 'ordered must be true or false',
    })
  }
  await hooks.subscriptions.delete(id)
  const late = hooks.subscriptions.update(id, { active: false })
  await expect(late).rejects.toMatchObject({ code: 'conflict', title: 'subscription deleted' })
})

test('what waits in line is listed with its head, its state and how much of it there is', async () => {
  const { topic, subscription } = await anOrderedTopic()
  const publish = (orderingKey: string) => hooks.publish({ topic, payload: 1, orderingKey })
  const [first, second] = [await publish('a'), await publish('a')]
  await publish('b')
  const filter = { subscriptionId: subscription.id }
  const { items, nextCursor } = await hooks.orderedKeys.list(filter)
  expect(nextCursor).toBe('')
  expect(items).toEqual([
    {
      subscriptionId: subscription.id,
      endpointId: subscription.endpointId,
      orderingKey: 'a',
      state: 'active',
      headDeliveryId: first.deliveryIds[0],
      headState: 'pending',
      blockedSince: null,
      backlogCount: 2,
      oldestSuccessorAgeMs: expect.any(Number),
    },
    expect.objectContaining({ orderingKey: 'b', backlogCount: 1, oldestSuccessorAgeMs: null }),
  ])
  expect((await hooks.orderedKeys.list({ ...filter, blocked: true })).items).toEqual([])
  expect((await hooks.orderedKeys.list({ ...filter, orderingKey: 'b' })).items).toHaveLength(1)
  expect(await hooks.deliveries.get(second.deliveryIds[0] as string)).toMatchObject({
    reason: 'behind_head',
    headDeliveryId: first.deliveryIds[0],
    nextAttemptAt: null,
  })
  expect(await hooks.deliveries.get(first.deliveryIds[0] as string)).toMatchObject({ headDeliveryId: null })
})

test('bad filters, ids and reasons are refused in the words of a program', async () => {
  const listing = (filter: object) => hooks.orderedKeys.list(filter as never)
  await expect(listing({ blocked: 'yes' })).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(listing({ orderingKey: 'a\0' })).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(hooks.orderedKeys.list({}, { limit: 0 })).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(hooks.deliveries.skip('dlv_01h455vb4pex5vsknk084sn02q')).rejects.toMatchObject({
    code: 'not_found',
  })
  const { topic } = await anOrderedTopic()
  const { deliveryIds } = await hooks.publish({ topic, payload: 1, orderingKey: 'a' })
  const id = deliveryIds[0] as string
  await expect(hooks.deliveries.skip(id)).rejects.toMatchObject({ code: 'not_skippable', status: 409 })
  for (const reason of [5, 'x'.repeat(1001)] as never[]) {
    await expect(hooks.deliveries.skip(id, { reason })).rejects.toMatchObject({ code: 'unprocessable' })
  }
})

test('an event whose key is full is a BacklogFullError, and other keys are taken beside it', async () => {
  const { topic } = await anOrderedTopic()
  const event = (orderingKey: string) => ({ topic, payload: 1, orderingKey })
  const results = await hooks.publishMany(['a', 'a', 'a', 'b'].map(event))
  expect(results.map(({ status }) => status)).toEqual(['published', 'published', 'failed', 'published'])
  const error = await hooks.publish(event('a')).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BacklogFullError)
  expect(error).toBeInstanceOf(OuthookError)
  expect(error).toMatchObject({ code: 'backlog_full', status: 429, name: 'BacklogFullError' })
  expect((error as BacklogFullError).retryAfterSeconds).toBeGreaterThan(0)
  const other = await hooks.publish({ topic: 'a b', payload: 1 }).catch((thrown: unknown) => thrown)
  expect(other).toBeInstanceOf(OuthookError)
  expect(other).not.toBeInstanceOf(BacklogFullError)
})

test('with a cap of 0 a key takes what comes, and a cap that is no number is refused by its name', async () => {
  const open = { allowHttp: true, allowNetworks: ['127.0.0.0/8'], store: 'memory:', dispatch: false }
  const free = await Outhook.open({ ...open, orderedKeyBacklogMax: 0 })
  try {
    const { topic, subscription } = await anOrderedTopic(free)
    const events = Array.from({ length: 12_000 }, (_, no) => ({ topic, payload: no, orderingKey: 'a' }))
    const results = await free.publishMany(events)
    expect(results.filter(({ status }) => status === 'failed')).toEqual([])
    const { items } = await free.orderedKeys.list({ subscriptionId: subscription.id })
    expect(items).toMatchObject([{ backlogCount: 12_000 }])
  } finally {
    await free.close()
  }
  const wrong = Outhook.open({ ...open, orderedKeyBacklogMax: -1 })
  await expect(wrong).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('orderedKeyBacklogMax'),
  })
})

test('keys of one tenant are not those of another', async () => {
  await hooks.tenants.create({ uid: 'acme' })
  const acme = hooks.tenant('acme')
  const { topic } = await anOrderedTopic(acme)
  const { deliveryIds } = await acme.publish({ topic, payload: 1, orderingKey: 'theirs' })
  expect((await acme.orderedKeys.list()).items).toMatchObject([{ orderingKey: 'theirs' }])
  const ours = (await hooks.orderedKeys.list()).items.map(({ orderingKey }) => orderingKey)
  expect(ours).not.toContain('theirs')
  await expect(hooks.deliveries.skip(deliveryIds[0] as string)).rejects.toMatchObject({ code: 'not_found' })
})

test(
  'H14 a head that is under way when the program ends costs no attempt, and goes first at the next start',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outhook-ordering-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
    const receiver = await startOrderedReceiver()
    onTestFinished(() => receiver.close())
    const open = () =>
      Outhook.open({
        store: `sqlite:${join(directory, 'hooks.db')}`,
        allowHttp: true,
        allowNetworks: ['127.0.0.0/8'],
        drainDeadline: '50ms',
      })
    const letGo = receiver.hold()
    const first = await open()
    const { endpoint } = await first.endpoints.create({ url: receiver.url })
    await first.subscriptions.create({ endpointId: endpoint.id, topicPatterns: ['*'], ordered: true })
    const publish = (no: number) => first.publish({ topic: 'a', payload: { key: 'k', no }, orderingKey: 'k' })
    const published = [await publish(1), await publish(2)]
    await expect.poll(() => receiver.open, { timeout: patienceMs }).toBe(1)
    await first.close()
    letGo()
    const second = await open()
    onTestFinished(() => second.close())
    const ended = await Promise.all(
      published.map(({ id }) => second.events.wait(id, { timeoutMs: patienceMs })),
    )
    expect(ended.flatMap(({ deliveries }) => deliveries)).toMatchObject([
      { state: 'succeeded', attemptCount: 1 },
      { state: 'succeeded', attemptCount: 1 },
    ])
    expect(outOfOrder(receiver.arrivals, 'k')).toEqual([])
    expect(receiver.accepted('k')).toEqual([1, 2])
  },
  2 * 60_000,
)
