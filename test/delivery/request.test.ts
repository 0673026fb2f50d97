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

test('S1.16 with the scheme hookrail the receiver gets the six headers of hookrail', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(engine, receiver.url, { signingSchemes: ['hookrail'] })
  const { eventId, deliveryIds } = await publish(engine)
  const [request] = await receiver.waitFor(1, patienceMs)
  expect(request!.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': expect.stringMatching(/^outhook\//),
    'hookrail-event-id': eventId,
    'hookrail-delivery-id': deliveryIds[0],
    'hookrail-topic': 'orders.created',
    'hookrail-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/),
  })
})

test.each([
  ['integers beyond 2^53', '{"n":12345678901234567890123}'],
  ['the order of keys', '{"b":1,"a":2,"1":3}'],
  ['a key that stands there twice', '{"a":1,"a":2}'],
  ['spacing', ' {\n\t"a" :  [ 1 , 2 ] }\r\n'],
  ['escapes', '{"a":"\\u00e9\\/\\ud83d\\ude00 é 😀"}'],
  ['numbers as they were written', '[1.0,1e2,-0,1E+2]'],
  ['a payload that is no object', '"text"'],
])('S1.16 %s reach the receiver byte for byte, and so does the retry', async (_, json) => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(engine, `${receiver.url}/fail/1`, {
    retryPolicy: { max_attempts: 2, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] },
  })
  const { eventId } = await publish(engine, { json })
  const requests = await receiver.waitFor(2, patienceMs)
  expect(requests.map(({ body }) => Buffer.from(body).toString())).toEqual([json, json])
  expect(Buffer.from(await engine.events.payload(tenant, eventId)).toString()).toBe(json)
})

test('S1.17 the standard signature passes the verifier of Standard Webhooks', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  const { secret } = await anEndpointAt(engine, receiver.url)
  await publish(engine, { json: '{"é":1}' })
  const [request] = await receiver.waitFor(1, patienceMs)
  const body = Buffer.from(request!.body)
  expect(new Webhook(secret).verify(body, { ...request!.headers })).toEqual({ é: 1 })
  expect(() => new Webhook(secret).verify('{"é":2}', { ...request!.headers })).toThrow()
})

test('S1.17 the hookrail signature follows its rule: ASCII secret, seconds, delivery id, exact body', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  const { secret } = await anEndpointAt(engine, receiver.url, { signingSchemes: ['hookrail', 'standard'] })
  const { deliveryIds } = await publish(engine, { json: '{ "a": 1 }' })
  const [request] = await receiver.waitFor(1, patienceMs)
  const [, seconds = '', signature] = /^t=(\d+),v1=(\w+)$/.exec(request!.headers['hookrail-signature']!)!
  expect(signature).toBe(hookrailSignature(secret, seconds, deliveryIds[0]!, request!.body))
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60)
})

test('S1.17 after a rotation the old and the new secret both sign, the next event already', async () => {
  const { engine } = await anApp()
  const receiver = await aReceiver()
  const { endpoint, secret } = await anEndpointAt(engine, receiver.url, {
    signingSchemes: ['standard', 'hookrail'],
  })
  await publish(engine)
  await receiver.waitFor(1, patienceMs)
  const rotated = await engine.endpoints.rotateSecret(tenant, endpoint.id)
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
  const rotated = await engine.endpoints.rotateSecret(tenant, endpoint.id, { graceMs: 0 })
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
