import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import {
  answering,
  aRawReceiver,
  aRequest,
  aSender,
  aTlsReceiver,
  failureFrom,
  ok,
  responseFrom,
  testAuthority,
} from './raw-receiver.ts'

async function aFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

const lookupLoopback = async () => [{ address: '127.0.0.1', family: 4 }]

test('a refused connection is a connection failure that names host and port, not the path', async () => {
  const port = await aFreePort()
  const result = await failureFrom(aSender(), aRequest(`http://127.0.0.1:${port}/secret-path?token=s3cret`))
  expect(result).toMatchObject({ errorClass: 'connection', httpStatus: null })
  expect(result.error).toBe(`connection refused: 127.0.0.1:${port} (ECONNREFUSED)`)
})

test('when every address of a name refuses, that is one connection failure', async () => {
  const port = await aFreePort()
  const lookup = async () => [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ]
  const result = await failureFrom(aSender({ lookup }), aRequest(`http://two.test:${port}/`))
  expect(result.errorClass).toBe('connection')
})

test('the next address of a name is tried when the first refuses', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const lookup = async () => [
    { address: '127.0.0.9', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ]
  const result = await responseFrom(aSender({ lookup }), aRequest(`http://two.test:${receiver.port}/`))
  expect(result.httpStatus).toBe(200)
})

test('a name that does not resolve is a dns failure', async () => {
  const lookup = async () => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  }
  const result = await failureFrom(aSender({ lookup }), aRequest('http://gone.test/'))
  expect(result).toMatchObject({ errorClass: 'dns' })
  expect(result.error).toBe('the name gone.test does not resolve (ENOTFOUND)')
})

test('a name without addresses is a dns failure', async () => {
  const result = await failureFrom(aSender({ lookup: async () => [] }), aRequest('http://empty.test/'))
  expect(result.errorClass).toBe('dns')
})

test('a certificate of an unknown authority is a tls failure', async () => {
  const receiver = await aTlsReceiver(answering(ok))
  const result = await failureFrom(aSender(), aRequest(receiver.url))
  expect(result.errorClass).toBe('tls')
})

test('a certificate for another name is a tls failure', async () => {
  const receiver = await aTlsReceiver(answering(ok))
  const sender = aSender({ ca: testAuthority, lookup: lookupLoopback })
  const good = aRequest(`https://receiver.test:${receiver.port}/`)
  const bad = aRequest(`https://other.test:${receiver.port}/`)
  expect((await responseFrom(sender, good)).httpStatus).toBe(200)
  expect(await failureFrom(sender, bad)).toMatchObject({ errorClass: 'tls' })
  expect(await failureFrom(sender, bad)).toMatchObject({ errorClass: 'tls' })
})

test('a receiver that does not speak TLS is a tls failure', async () => {
  const receiver = await aRawReceiver((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const result = await failureFrom(aSender(), aRequest(receiver.url.replace('http:', 'https:')))
  expect(result.errorClass).toBe('tls')
})

test('a connection closed in the middle of the TLS handshake is a connection failure', async () => {
  const receiver = await aRawReceiver((socket) => socket.once('data', () => socket.destroy()))
  const result = await failureFrom(aSender(), aRequest(receiver.url.replace('http:', 'https:')))
  expect(result.errorClass).toBe('connection')
})

test('a request that was written and not answered is not sent again', async () => {
  let requests = 0
  const receiver = await aRawReceiver((socket) => {
    socket.on('data', (chunk) => {
      if (chunk.at(-1) !== 0x7d) return
      requests++
      if (requests === 1) socket.write(ok)
      else socket.destroy()
    })
  })
  const sender = aSender()
  await responseFrom(sender, aRequest(receiver.url))
  const result = await failureFrom(sender, aRequest(receiver.url))
  expect(result.errorClass).toBe('connection')
  expect(requests).toBe(2)
})

const hostile: readonly (readonly [name: string, answer: string | Buffer])[] = [
  ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['random bytes', Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 37) % 256))],
  ['nothing', ''],
  ['half a status line', 'HTTP/1.1 2'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 Hm\r\ncontent-length: 0\r\n\r\n'],
  ['a status of 000', 'HTTP/1.1 000 Hm\r\ncontent-length: 0\r\n\r\n'],
  ['a header name with a space', 'HTTP/1.1 200 OK\r\nx a: b\r\n\r\n'],
  ['two content-lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
  ['a negative content-length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['an unasked upgrade', 'HTTP/1.1 101 Hm\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
  ['a 101 without an upgrade', 'HTTP/1.1 101 Hm\r\n\r\n'],
]

test.each(hostile)('an answer of %s is a connection failure', async (_name, answer) => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => socket.end(answer))
  })
  const result = await failureFrom(aSender(), aRequest(receiver.url))
  expect(result).toMatchObject({ errorClass: 'connection', httpStatus: null })
  expect(result.error.length).toBeLessThan(200)
  await receiver.allClosed()
})

test('an offer to upgrade beside an ordinary answer does not matter', async () => {
  const receiver = await aRawReceiver(
    answering('HTTP/1.1 200 OK\r\nupgrade: h2,h2c\r\nconnection: Upgrade\r\ncontent-length: 2\r\n\r\nok'),
  )
  expect((await responseFrom(aSender(), aRequest(receiver.url))).httpStatus).toBe(200)
})

test('a body without a length ends with the connection', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'))
  })
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(Buffer.from(result.response.body).toString()).toBe('until the end')
})

test('bytes after an answer do not become the answer to the next request', async () => {
  const receiver = await aRawReceiver(answering(`${ok}HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n`))
  const sender = aSender()
  expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
  await receiver.allClosed()
  expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
})

test('an answer that comes before the request was read counts', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () =>
        socket.resume(),
      )
    })
  })
  const body = new Uint8Array(8 * 1024 * 1024).fill(0x20)
  const result = await responseFrom(aSender(), aRequest(receiver.url, { body }))
  expect(result.httpStatus).toBe(413)
})

test('headers that HTTP does not allow fail as our own fault and send nothing', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const result = await failureFrom(aSender(), aRequest(receiver.url, { headers: { 'x-a': 'b\r\nx-c: d' } }))
  expect(result.errorClass).toBe('internal')
  expect(receiver.connections()).toBe(0)
})

test('a closed sender says so', async () => {
  const sender = aSender()
  await sender.close()
  const result = await failureFrom(sender, aRequest('http://127.0.0.1:9/'))
  expect(result).toMatchObject({ errorClass: 'internal', error: 'the sender is closed; nothing was sent' })
})
