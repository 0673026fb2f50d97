import { expect, test } from 'vitest'
import { startReceiver } from '../../src/testing/receiver.ts'
import { answering, aRawReceiver, aRequest, aSender, failureFrom, ok, responseFrom } from './raw-receiver.ts'

const never = new Promise<never>(() => {})

test('a receiver that never answers fails by the headers timeout', async () => {
  const receiver = await startReceiver()
  const sender = aSender({ headersTimeoutMs: 80 })
  const result = await failureFrom(sender, aRequest(`${receiver.url}/timeout`))
  expect(result).toMatchObject({ errorClass: 'timeout', httpStatus: null })
  expect(result.error).toContain('no response headers within 80 ms')
  expect(result.latencyMs).toBeGreaterThanOrEqual(79)
  expect(result.latencyMs).toBeLessThan(9000)
  await receiver.close()
})

test('a body that drips for ever ends by the total timeout, and the status that had come counts', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(timer))
    })
  })
  const result = await responseFrom(aSender({ totalTimeoutMs: 120 }), aRequest(receiver.url))
  expect(result).toMatchObject({ httpStatus: 200, response: { truncated: true } })
  expect(result.brokeOff).toContain('the response body did not end within 120 ms')
  expect(result.latencyMs).toBeGreaterThanOrEqual(119)
  expect(result.latencyMs).toBeLessThan(9000)
  await receiver.allClosed()
})

test('a body may take longer than the headers timeout', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no')
      setTimeout(() => socket.write('k'), 2300)
    })
  })
  const result = await responseFrom(aSender({ headersTimeoutMs: 2000 }), aRequest(receiver.url))
  expect(Buffer.from(result.response.body).toString()).toBe('ok')
})

test('headers that drip for ever fail too', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('a: b\r\n'), 5)
      socket.on('close', () => clearInterval(timer))
    })
  })
  const result = await failureFrom(aSender({ headersTimeoutMs: 100 }), aRequest(receiver.url))
  expect(result).toMatchObject({ errorClass: 'timeout', httpStatus: null })
  await receiver.allClosed()
})

test('a name server that never answers fails by the connect timeout', async () => {
  const sender = aSender({ connectTimeoutMs: 60, lookup: () => never })
  const result = await failureFrom(sender, aRequest('http://slow-dns.test/'))
  expect(result.errorClass).toBe('timeout')
  expect(result.error).toContain('no connection within 60 ms: slow-dns.test:80')
})

test('a TLS handshake that never ends fails by the connect timeout', async () => {
  const receiver = await aRawReceiver((socket) => socket.resume())
  const sender = aSender({ connectTimeoutMs: 80 })
  const result = await failureFrom(sender, aRequest(receiver.url.replace('http:', 'https:')))
  expect(result.errorClass).toBe('timeout')
  await receiver.allClosed()
})

test('the total timeout also covers the time before a connection is there', async () => {
  const sender = aSender({ totalTimeoutMs: 60, lookup: () => never })
  const result = await failureFrom(sender, aRequest('http://slow-dns.test/'))
  expect(result.errorClass).toBe('timeout')
  expect(result.latencyMs).toBeLessThan(9000)
})

test('an attempt that found no free connection in its time blames us, not the receiver', async () => {
  const receiver = await aRawReceiver((socket) => socket.resume())
  const sender = aSender({ maxConnections: 1, connectTimeoutMs: 40, headersTimeoutMs: 120 })
  const results = await Promise.all([
    failureFrom(sender, aRequest(receiver.url)),
    failureFrom(sender, aRequest(receiver.url)),
  ])
  expect(results.map((result) => result.errorClass)).toEqual(['timeout', 'internal'])
})

test('a timed-out attempt leaves no connection, and the next one works', async () => {
  let first = true
  const receiver = await aRawReceiver((socket) => {
    if (first) socket.resume()
    else answering(ok)(socket)
    first = false
  })
  const sender = aSender({ headersTimeoutMs: 2000 })
  await failureFrom(sender, aRequest(receiver.url))
  await receiver.allClosed()
  expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
})

test('many attempts that end in time do not leave their deadlines behind', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const sender = aSender({ totalTimeoutMs: 1000, headersTimeoutMs: 1000 })
  const end = performance.now() + 2500
  while (performance.now() < end) {
    expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
  }
})
