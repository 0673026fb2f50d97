import { expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { aServer } from './a-server.ts'

test('S1.45 what is past its retention is gone, the rest stays visible, and a replay answers 410', async () => {
  const receiver = await aReceiver()
  const clock = createManualClock()
  const server = await aServer({
    dispatch: true,
    clock,
    config: {
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8'],
      retainPayloads: '10s',
      retainAttempts: '10s',
      retainDeadLetters: '10s',
      idempotencyTtl: '10s',
    },
  })
  await server.call('POST', '/v1/endpoints', { body: { url: `${receiver.url}/status/400`, topics: ['*'] } })
  const headers = { 'idempotency-key': 'k' }
  const body = { topic: 'orders.created', payload: { n: 1 } }
  const { json: published } = await server.call('POST', '/v1/events', { body, headers })
  const [deliveryId] = published.delivery_ids
  await server.engine.events.wait(defaultTenantId, published.id)
  const before = await server.call('GET', `/v1/deliveries/${deliveryId}`)
  expect(before.json).toMatchObject({ state: 'dead_lettered', attempts_truncated: false })

  await clock.advance(60_000)
  const attemptsLeft = async () => (await server.engine.deliveries.get(defaultTenantId, deliveryId)).attempts
  while ((await attemptsLeft()).length > 0);

  const delivery = await server.call('GET', `/v1/deliveries/${deliveryId}`)
  expect(delivery.json).toMatchObject({ state: 'dead_lettered', attempts_truncated: true, attempts: [] })
  const event = await server.call('GET', `/v1/events/${published.id}`)
  expect(event.json).toMatchObject({ payload_bytes: 7, deliveries: [{ attempts_truncated: true }] })
  await expect(server.engine.events.payload(defaultTenantId, published.id)).rejects.toMatchObject({
    code: 'expired',
  })
  const replay = await server.call('POST', `/v1/dlq/${deliveryId}/replay`)
  expect(replay).toMatchObject({ status: 410, json: { title: 'expired' } })
  const again = await server.call('POST', '/v1/events', { body, headers })
  expect(again.status).toBe(202)
  expect(again.json.id).not.toBe(published.id)
})
