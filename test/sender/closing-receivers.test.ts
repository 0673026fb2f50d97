/** Receivers that close the connection with their answer, and do not say so in it. */
import { expect, test } from 'vitest'
import { anHttpProxy } from './a-proxy.ts'
import { aWebhook } from './a-webhook.ts'
import {
  answering,
  aRawReceiver,
  aRequest,
  aSender,
  aTlsReceiver,
  ok,
  responseFrom,
  type SocketHandler,
  testAuthority,
} from './raw-receiver.ts'

const rounds = 50

/** Ends the connection with the answer, so that both come in one segment. */
function closing(): { handler: SocketHandler; requests: () => number } {
  let requests = 0
  return {
    requests: () => requests,
    handler: (socket) => {
      socket.on('data', (chunk) => {
        if (chunk.at(-1) !== 0x7d) return
        requests++
        socket.cork()
        socket.end(ok)
      })
    },
  }
}

test('answer and end in one segment: fifty requests in a row, one attempt each', async () => {
  const { handler, requests } = closing()
  const receiver = await aRawReceiver(handler)
  const webhook = aWebhook(receiver.url, { maxRetries: 0 })
  for (let round = 0; round < rounds; round++) {
    expect(await webhook.send({ round })).toMatchObject({ ok: true, attempts: 1 })
  }
  expect(requests()).toBe(rounds)
})

test('answer and end in one segment over TLS: fifty requests in a row, one attempt each', async () => {
  const { handler, requests } = closing()
  const receiver = await aTlsReceiver(handler)
  const webhook = aWebhook(receiver.url, { maxRetries: 0, ca: testAuthority })
  for (let round = 0; round < rounds; round++) {
    expect(await webhook.send({ round })).toMatchObject({ ok: true, attempts: 1 })
  }
  expect(requests()).toBe(rounds)
})

test('answer and end in one segment behind a proxy: fifty requests in a row, one attempt each', async () => {
  const { handler, requests } = closing()
  const receiver = await aTlsReceiver(handler)
  const proxy = await anHttpProxy()
  const proxies = { get: () => proxy.url, burn: () => {} }
  const webhook = aWebhook(receiver.url, { maxRetries: 0, maxProxyRetries: 0, proxies, ca: testAuthority })
  for (let round = 0; round < rounds; round++) {
    expect(await webhook.send({ round })).toMatchObject({ ok: true, attempts: 1 })
  }
  expect(requests()).toBe(rounds)
})

test('eight in a row beside each other, to a receiver that closes with each answer', async () => {
  const { handler, requests } = closing()
  const receiver = await aRawReceiver(handler)
  const sender = aSender()
  const row = async () => {
    for (let round = 0; round < rounds; round++) await responseFrom(sender, aRequest(receiver.url))
  }
  await Promise.all(Array.from({ length: 8 }, row))
  expect(requests()).toBe(8 * rounds)
})

test('a receiver that closes a moment after each answer gets new connections', async () => {
  let requests = 0
  const receiver = await aRawReceiver((socket) => {
    socket.on('data', () => {
      requests++
      socket.write(ok)
      setImmediate(() => setImmediate(() => socket.end()))
    })
  })
  const sender = aSender()
  for (let round = 0; round < rounds; round++) await responseFrom(sender, aRequest(receiver.url))
  expect(requests).toBe(rounds)
  expect(receiver.connections()).toBe(rounds)
})

test('one request crosses with the close of a slow closer, and none after it', async () => {
  let requests = 0
  const receiver = await aRawReceiver((socket) => {
    let answered = false
    socket.on('data', () => {
      requests++
      if (answered) socket.end()
      else socket.write(ok)
      answered = true
    })
  })
  const sender = aSender()
  const results: string[] = []
  for (let round = 0; round < 10; round++) results.push((await sender.attempt(aRequest(receiver.url))).kind)
  expect(results).toEqual(['response', 'failure', ...Array(8).fill('response')])
  expect(requests).toBe(10)
})

test('a receiver that closed once, and then keeps its connections open, has them used again', async () => {
  let closes = true
  const receiver = await aRawReceiver((socket) => {
    socket.on('data', () => {
      if (closes) socket.end(ok)
      else socket.write(ok)
      closes = false
    })
  })
  const sender = aSender()
  await responseFrom(sender, aRequest(receiver.url))
  await receiver.allClosed()
  await responseFrom(sender, aRequest(receiver.url))
  const connections = receiver.connections()
  const end = performance.now() + 60
  while (performance.now() < end) await new Promise(setImmediate)
  for (let round = 0; round < 10; round++) await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(connections)
})

test('a connection that the sender closed itself says nothing about the receiver', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const other = await aRawReceiver(answering(ok))
  const sender = aSender({ maxConnections: 1 })
  await responseFrom(sender, aRequest(receiver.url))
  await responseFrom(sender, aRequest(other.url))
  await receiver.allClosed()
  for (let round = 0; round < 5; round++) await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(2)
})
