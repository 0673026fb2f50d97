/** What the receiver gets: headers, exact bytes, signatures. */
import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { version } from '../../src/version.ts'
import { patienceMs } from '../patience.ts'
import { anApp, anEndpointAt, aReceiver, publish, tenant } from './an-app.ts'

function hookrailSignature(secret: string, seconds: string, deliveryId: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${seconds}.${deliveryId}.`).update(body).digest('hex')
}

test('S1.16 the receiver gets the payload alone, with the headers of the event, the delivery and the attempt', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(engine, receiver.url, { headers: { 'X-Own': 'yes' } })
  const { eventId, deliveryIds } = await publish(engine, {
    json: '{"id":"o_1"}',
    metadata: { source: 'shöp' },
  })
  const [request] = await receiver.waitFor(1, patienceMs)
  expect(Buffer.from(request!.body).toString()).toBe('{"id":"o_1"}')
  expect(request).toMatchObject({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': `outhook/${version}`,
      'outhook-event-id': eventId,
      'outhook-delivery-id': deliveryIds[0],
      'outhook-topic': 'orders.created',
      'outhook-attempt': '1',
      'webhook-id': eventId,
      'x-own': 'yes',
    },
  })
  expect(request!.headers['outhook-meta-source']).toBeDefined()
})

test('S1.17 after a rotation the old and the new secret both sign, the next event already', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  const { endpoint, secret } = await anEndpointAt(engine, receiver.url, {
    signingSchemes: ['standard', 'hookrail'],
  })
  await publish(engine)
  await receiver.waitFor(1, patienceMs)
  const rotated = await engine.endpointSecrets.rotateSecret(tenant, endpoint.id)
  const { deliveryIds } = await publish(engine)
  const { headers, body } = (await receiver.waitFor(2, patienceMs))[1]!
  for (const each of [secret, rotated.secret]) {
    expect(new Webhook(each).verify(Buffer.from(body), { ...headers })).toEqual({ id: 1 })
  }
  const [, seconds = '', first, last] = /^t=(\d+),v1=(\w+),v1=(\w+)$/.exec(headers['hookrail-signature']!)!
  expect([first, last]).toEqual(
    [rotated.secret, secret].map((each) => hookrailSignature(each, seconds, deliveryIds[0]!, body)),
  )
})

test('S1.17 a rotation without grace takes the old secret away at once', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  const { endpoint, secret } = await anEndpointAt(engine, receiver.url)
  const rotated = await engine.endpointSecrets.rotateSecret(tenant, endpoint.id, { graceMs: 0 })
  await publish(engine)
  const [request] = await receiver.waitFor(1, patienceMs)
  const verify = (each: string) =>
    new Webhook(each).verify(Buffer.from(request!.body), { ...request!.headers })
  expect(verify(rotated.secret)).toEqual({ id: 1 })
  expect(() => verify(secret)).toThrow()
})

test('retries carry the same ids and count the attempt', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(engine, `${receiver.url}/fail/2`, {
    retryPolicy: { max_attempts: 3, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] },
  })
  await publish(engine)
  const requests = await receiver.waitFor(3, patienceMs)
  expect(requests.map(({ headers }) => headers['outhook-attempt'])).toEqual(['1', '2', '3'])
  expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(new Set(requests.map(({ deliveryId }) => deliveryId)).size).toBe(1)
})
