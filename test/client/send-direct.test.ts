import { beforeAll, expect, test } from 'vitest'
import {
  type Client,
  ConflictError,
  createClient,
  PermissionDeniedError,
  UnprocessableError,
} from '../../src/client/index.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { aReceiver } from '../delivery/an-app.ts'

let server: TestServer
let client: Client
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => closers.push(close),
  })
  client = createClient({ url: server.url, token: adminToken })
  return () => Promise.all(closers.map((close) => close()))
})

const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

test('sendDirect sends exactly its body, once for each key, and the event can be waited for', async () => {
  const receiver = await aReceiver()
  const idempotencyKey = 'запуск-7'
  const first = await client.sendDirect({
    url: receiver.url,
    body: '{"n": 1e2 }',
    method: 'PATCH',
    idempotencyKey,
  })
  const event = await client.waitUntilDelivered(first.eventId)
  expect(event).toMatchObject({ topic: null, request: { method: 'PATCH' }, deliveries: [{ id: first.id }] })
  const again = await client.sendDirect({
    url: receiver.url,
    body: '{"n": 1e2 }',
    method: 'PATCH',
    idempotencyKey,
  })
  expect([first.replayed, again]).toEqual([false, { ...first, replayed: true }])
  expect(receiver.received.map(({ method, body }) => [method, textOf(body)])).toEqual([
    ['PATCH', '{"n": 1e2 }'],
  ])
  await expect(client.sendDirect({ url: receiver.url, payload: 2, idempotencyKey })).rejects.toThrow(
    ConflictError,
  )
})

test('bytes, text of another type, a value, and nothing at all', async () => {
  const receiver = await aReceiver()
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const inputs = [
    { body: bytes, contentType: 'application/octet-stream' },
    { body: 'a=ü', contentType: 'application/x-www-form-urlencoded' },
    { payload: { a: 1 } },
    {},
  ]
  for (const input of inputs) {
    const { eventId: id } = await client.sendDirect({ url: receiver.url, ...input })
    await client.waitUntilDelivered(id)
  }
  const [raw, text, value, nothing] = receiver.received
  expect(Uint8Array.from(raw?.body ?? [])).toEqual(bytes)
  expect([text, value, nothing].map((request) => textOf(request?.body))).toEqual(['a=ü', '{"a":1}', ''])
  expect(receiver.received.map(({ headers }) => headers['content-type'])).toEqual([
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'application/json',
    undefined,
  ])
})

test('what is refused is an error of its class', async () => {
  await expect(client.sendDirect({ url: 'http://10.0.0.1/', payload: 1 })).rejects.toThrow(UnprocessableError)
  const { key } = await server.producer()
  const publisher = createClient({ url: server.url, token: key })
  await expect(publisher.sendDirect({ url: 'http://127.0.0.1:1/', payload: 1 })).rejects.toThrow(
    PermissionDeniedError,
  )
  const broken = client.sendDirect({ url: 'http://127.0.0.1:1/', body: '1,"url":"x"' })
  await expect(broken).rejects.toThrow('the body is not JSON; say by contentType what it is')
})
