import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import {
  answering,
  aRawReceiver,
  aRequest,
  aSender,
  aTlsReceiver,
  ok,
  responseFrom,
  testAuthority,
} from './raw-receiver.ts'

async function aReceiver(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  return receiver
}

test('sends exactly the given bytes and headers, with a content-length', async () => {
  const receiver = await aReceiver()
  const body = new Uint8Array(Buffer.from('xx{"big":12345678901234567890, "a":"é"}').subarray(2))
  const headers = { 'content-type': 'application/json', 'webhook-id': 'evt_1', 'x-own': 'yes' }
  const result = await responseFrom(
    aSender(),
    aRequest(`${receiver.url}/hook?key=1&b=%20`, { headers, body }),
  )
  expect(result.httpStatus).toBe(200)
  const [request] = receiver.received
  expect(request).toMatchObject({ method: 'POST', path: '/hook?key=1&b=%20' })
  expect(Buffer.from(request!.body)).toEqual(Buffer.from(body))
  expect(request!.headers).toEqual({
    ...headers,
    host: `127.0.0.1:${receiver.port}`,
    connection: 'keep-alive',
    'content-length': String(body.length),
  })
})

test('sends an empty body with a content-length of 0', async () => {
  const receiver = await aReceiver()
  await responseFrom(aSender(), aRequest(receiver.url, { body: new Uint8Array(0) }))
  expect(receiver.received[0]!.headers['content-length']).toBe('0')
})

test('keeps status, headers in order with lower-case names, and the body', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 503 Busy\r\nX-B: 2\r\nContent-Length: 4\r\nX-A: 1\r\nRetry-After: 7\r\n\r\nwait'),
  )
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result).toMatchObject({ httpStatus: 503, retryAfter: '7' })
  expect(result.response.headers).toEqual([
    ['x-b', '2'],
    ['content-length', '4'],
    ['x-a', '1'],
    ['retry-after', '7'],
  ])
  expect(Buffer.from(result.response.body).toString()).toBe('wait')
  expect(result.response.truncated).toBe(false)
})

test('keeps repeated headers where they stood', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 204 None\r\nSet-Cookie: a\r\nX-A: 1\r\nSet-Cookie: b\r\n__proto__: c\r\n\r\n'),
  )
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result.response.headers).toEqual([
    ['set-cookie', 'a'],
    ['x-a', '1'],
    ['set-cookie', 'b'],
    ['__proto__', 'c'],
  ])
})

test('keeps at most 64 headers', async () => {
  const many = Array.from({ length: 100 }, (_, index) => `x-${index}a: 1\r\n`).join('')
  const receiver = await aRawReceiver(answering(`HTTP/1.1 204 None\r\n${many}\r\n`))
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result.response.headers).toHaveLength(64)
})

test('keeps a compressed body as it came', async () => {
  const packed = gzipSync('hello')
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`
  const receiver = await aRawReceiver(answering(Buffer.concat([Buffer.from(head), packed])))
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(Buffer.from(result.response.body)).toEqual(packed)
})

test('keeps the first 16 KiB of a longer body in memory of that size, and reuses the connection', async () => {
  const receiver = await aRawReceiver(
    answering(`HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n${'ab'.repeat(10_000)}`),
  )
  const sender = aSender()
  const { response } = await responseFrom(sender, aRequest(receiver.url))
  expect(Buffer.from(response.body).toString()).toBe('ab'.repeat(8192))
  expect(response.body.buffer.byteLength).toBe(16_384)
  expect(response.truncated).toBe(true)
  await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(1)
})

test('cuts a dribbled body off after 64 KiB, which is still an answer', async () => {
  const receiver = await aReceiver()
  const result = await responseFrom(aSender(), aRequest(`${receiver.url}/slow-body`))
  expect(result.httpStatus).toBe(200)
  expect(result.response.truncated).toBe(true)
  expect(result.response.body).toHaveLength(16_384)
  // The whole body takes 6 s.
  expect(result.latencyMs).toBeLessThan(5900)
})

test('closes the connection of a body that goes on after 64 KiB', async () => {
  const receiver = await aRawReceiver((socket) => {
    const pump = () => {
      while (socket.writable && socket.write('x'.repeat(16_384)));
    }
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.on('drain', pump)
      pump()
    })
  })
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result.response.truncated).toBe(true)
  await receiver.allClosed()
})

test('does not follow a redirect', async () => {
  const target = await aReceiver()
  const receiver = await aRawReceiver(
    answering(`HTTP/1.1 307 Over there\r\nlocation: ${target.url}/hook\r\ncontent-length: 0\r\n\r\n`),
  )
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result.httpStatus).toBe(307)
  expect(target.received).toHaveLength(0)
})

test('reuses one connection for requests one after the other', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const sender = aSender()
  for (let round = 0; round < 20; round++) await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(1)
})

test('opens one connection per request that runs at the same time, and no more', async () => {
  const receiver = await aReceiver()
  const raw = await aRawReceiver(answering(ok))
  const sender = aSender()
  const burst = () => Promise.all(Array.from({ length: 8 }, () => responseFrom(sender, aRequest(raw.url))))
  await burst()
  await burst()
  expect(raw.connections()).toBe(8)
  await responseFrom(sender, aRequest(receiver.url))
})

test('opens a new connection when the receiver closed the idle one', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
  })
  const sender = aSender()
  await responseFrom(sender, aRequest(receiver.url))
  await receiver.allClosed()
  await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(2)
})

test('closes idle connections after idleOriginMs', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const sender = aSender({ idleOriginMs: 50 })
  await Promise.all(Array.from({ length: 5 }, () => responseFrom(sender, aRequest(receiver.url))))
  await receiver.allClosed()
  await responseFrom(sender, aRequest(receiver.url))
  expect(receiver.connections()).toBe(6)
})

test('closes an idle connection sooner when the receiver says so', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1\r\n\r\nok'),
  )
  await responseFrom(aSender({ idleOriginMs: 60_000 }), aRequest(receiver.url))
  await receiver.allClosed()
})

test('does not keep a connection longer because the receiver says so', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=3600\r\n\r\nok'),
  )
  await responseFrom(aSender({ idleOriginMs: 50 }), aRequest(receiver.url))
  await receiver.allClosed()
})

test('at the cap the connection that was idle longest gives way', async () => {
  const receivers = await Promise.all([1, 2, 3].map(() => aRawReceiver(answering(ok))))
  const sender = aSender({ maxConnections: 2 })
  for (const receiver of receivers) await responseFrom(sender, aRequest(receiver.url))
  await receivers[0]!.allClosed()
  expect(receivers.map((receiver) => receiver.open())).toEqual([0, 1, 1])
})

test('attempts beyond the cap wait for a connection', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const other = await aRawReceiver(answering(ok))
  const sender = aSender({ maxConnections: 3 })
  const urls = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? receiver.url : other.url))
  const results = await Promise.all(urls.map((url) => responseFrom(sender, aRequest(url))))
  expect(results.every((result) => result.httpStatus === 200)).toBe(true)
  expect(receiver.open() + other.open()).toBeLessThanOrEqual(3)
})

test('500 attempts at the same time all get their own answer', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.on('data', (chunk) => {
      const body = chunk.toString().split('\r\n\r\n')[1] ?? ''
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
  })
  const sender = aSender()
  const results = await Promise.all(
    Array.from({ length: 500 }, (_, index) =>
      responseFrom(sender, aRequest(receiver.url, { body: Buffer.from(`{"n":${index}}`) })),
    ),
  )
  expect(results.map((result) => Buffer.from(result.response.body).toString())).toEqual(
    Array.from({ length: 500 }, (_, index) => `{"n":${index}}`),
  )
})

test('speaks TLS, checks the name, and resumes the session', async () => {
  const reused: boolean[] = []
  const receiver = await aTlsReceiver((socket) => {
    reused.push((socket as unknown as { isSessionReused(): boolean }).isSessionReused())
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'))
  })
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
  const sender = aSender({ ca: testAuthority, lookup })
  const request = aRequest(`https://receiver.test:${receiver.port}/`)
  expect((await responseFrom(sender, request)).httpStatus).toBe(200)
  expect((await responseFrom(sender, request)).httpStatus).toBe(200)
  expect(reused).toEqual([false, true])
})

test('close ends idle connections at once, lets running attempts end, and refuses new ones', async () => {
  let answer = () => {}
  const slow = await aRawReceiver((socket) => {
    socket.once('data', () => {
      answer = () => socket.write(ok)
      asked()
    })
  })
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const idle = await aRawReceiver(answering(ok))
  const sender = aSender()
  await responseFrom(sender, aRequest(idle.url))
  const running = responseFrom(sender, aRequest(slow.url))
  await isAsked
  const closed = sender.close()
  await idle.allClosed()
  expect(await sender.attempt(aRequest(idle.url))).toMatchObject({ kind: 'failure', errorClass: 'internal' })
  answer()
  expect((await running).httpStatus).toBe(200)
  await closed
  await sender.close()
  await slow.allClosed()
})
