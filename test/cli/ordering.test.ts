/** Ordered subscriptions on the command line and in the client, on a real server. */
import { beforeAll, expect, test } from 'vitest'
import { BacklogFullError, createClient, RateLimitError, RetryError } from '../../src/client/index.ts'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { runToEnd } from './run-cli.ts'

let api: TestServer
let receiver: Receiver
beforeAll(async () => {
  const closers: (() => unknown)[] = []
  receiver = await startReceiver()
  api = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'], orderedKeyBacklogMax: 2 },
    closeWith: (close) => closers.push(close),
  })
  return async () => {
    for (const close of closers) await close()
    await receiver.close()
  }
})

const run = (...args: string[]) => runToEnd([...args, '--url', api.url, '--token', adminToken])
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out)
const aClient = () => createClient({ url: api.url, token: adminToken, retry: { maxRetries: 0 } })

/** A key whose first event was given up, with one behind it: as many as may wait. */
async function aBlockedKey(topic: string) {
  const endpoint = await json('endpoints', 'create', `${receiver.url}/status/422`)
  const subscription = await json('subscriptions', 'create', endpoint.id, '--topic', topic, '--ordered')
  const publish = () => json('publish', topic, '1', '--ordering-key', 'o_1')
  const [head, next] = [await publish(), await publish()]
  await run('events', 'wait', head.event_id)
  return { subscription, head: head.delivery_ids[0] as string, next: next.delivery_ids[0] as string }
}

test('a blocked key is listed, its head is skipped with a reason, and what waits says behind what', async () => {
  const { subscription, head, next } = await aBlockedKey('cli.blocked')
  expect(subscription.ordered).toBe(true)
  expect((await run('subscriptions', 'list')).out).toMatch(/ORDERED +ACTIVE\n.* yes|ORDERED +ACTIVE\n.* true/)
  const of = ['--subscription', subscription.id]
  const { items } = await json('ordered-keys', 'list', '--blocked', ...of)
  expect(items).toMatchObject([
    { ordering_key: 'o_1', state: 'blocked', head_delivery_id: head, backlog_count: 2 },
  ])
  const table = (await run('ordered-keys', 'list', ...of)).out
  expect(table).toMatch(/SUBSCRIPTION +KEY +STATE +BACKLOG +HEAD/)
  expect(table).toMatch(/ o_1 +blocked +2 /)
  expect((await run('ordered-keys', 'list', '--no-blocked', ...of)).out).toBe('none')
  expect(await json('ordered-keys', 'list', '--ordering-key', 'o_2', ...of)).toMatchObject({ items: [] })
  const waiting = await run('deliveries', 'get', next)
  expect(waiting.out).toContain('behind_head')
  expect(waiting.out).toContain(head)
  const refused = await run('deliveries', 'skip', next)
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining('not dead-lettered or not the head'),
  ])
  const missing = await run('deliveries', 'skip', 'dlv_01h455vb4pex5vsknk084sn02q')
  expect(missing.code).toBe(3)

  const skipped = await json('deliveries', 'skip', head, '--reason', 'entered by hand')
  expect(skipped).toEqual({ delivery_id: head, state: 'skipped', next_head_delivery_id: next })
  expect((await run('deliveries', 'list', '--state', 'skipped')).out).toContain('skipped')
  expect((await json('deliveries', 'get', head)).last_error).toContain('entered by hand')
})

test('a full key ends publish with exit code 5 and is an error class of its own in the client', async () => {
  await aBlockedKey('cli.full')
  const client = aClient()
  const event = { topic: 'cli.full', payload: 1, orderingKey: 'o_1' }
  const error = await client.send(event).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BacklogFullError)
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ status: 429, code: 'backlog_full', name: 'BacklogFullError' })
  expect((error as BacklogFullError).retryAfterSeconds).toBeLessThanOrEqual(10)
  const impatient = await client
    .send(event, { retry: { maxRetries: 3, maxElapsedMs: 500 } })
    .catch((thrown: unknown) => thrown)
  expect(impatient).toBeInstanceOf(RetryError)
  expect((impatient as RetryError).cause).toBeInstanceOf(BacklogFullError)
  const [sent, other] = await client.sendMany([event, { ...event, orderingKey: 'o_2' }], {
    retry: { maxRetries: 0 },
  })
  expect([sent?.status, sent?.code, other?.status]).toEqual([429, 'backlog_full', 202])
  const published = await run('publish', 'cli.full', '1', '--ordering-key', 'o_1', '--json')
  expect(published.code).toBe(5)
  expect(JSON.parse(published.err).error).toMatchObject({ status: 429, code: 'backlog_full' })
}, 120_000)

test('the client lists keys to the end and skips a head', async () => {
  const { subscription, head, next } = await aBlockedKey('client.skip')
  const client = aClient()
  const keys = []
  for await (const key of client.orderedKeys.list({
    blocked: true,
    subscriptionId: subscription.id,
    limit: 1,
  }))
    keys.push(key)
  expect(keys).toMatchObject([{ headDeliveryId: head, headState: 'dead_lettered' }])
  expect(await client.deliveries.skip(head)).toMatchObject({ nextHeadDeliveryId: next })
  expect(await client.deliveries.get(head)).toMatchObject({ state: 'skipped' })
})
