/** What RFC 9110 and 9112 let a client take is taken: the receiver has seen the request, however it answers. */
import type { Socket } from 'node:net'
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
  testAuthority,
} from './raw-receiver.ts'

const head = 'HTTP/1.1 200 OK\r\n'
const digits = '9'.repeat(40)

/** All of them answer 200 with the body `ok`, on a connection that carries the next request too. */
const unusual: readonly (readonly [name: string, answer: string])[] = [
  ['100 Continue that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${ok}`],
  ['100 without a reason', `HTTP/1.1 100\r\n\r\n${ok}`],
  ['100 with headers', `HTTP/1.1 100 Continue\r\ndate: now\r\ncontent-length: 3\r\n\r\n${ok}`],
  [
    '100 twice, 102, 103 and 199',
    `${[100, 100, 102, 103, 199].map((code) => `HTTP/1.1 ${code} Hm\r\nlink: <a>\r\n\r\n`).join('')}${ok}`,
  ],
  ['a hundred times 102', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)}${ok}`],
  ['103 of HTTP/1.0, with line feeds only', `HTTP/1.0 103 Early Hints\n\n${ok}`],
  ['the same length twice', `${head}content-length: 2\r\nContent-Length: 2\r\n\r\nok`],
  [
    'the same length three times, apart',
    `${head}content-length: 2\r\nx-a: b\r\ncontent-length: 2\r\nx-b: c\r\nCONTENT-LENGTH:2\r\n\r\nok`,
  ],
  ['the same length twice in one line', `${head}content-length: 2, 2\r\n\r\nok`],
  ['the same length in several lists', `${head}content-length: 2,2 ,\t2\r\ncontent-length: 02\r\n\r\nok`],
  ['white space after the length', `${head}content-length: 2  \t\r\n\r\nok`],
  ['white space before a colon', `${head}content-length : 2\r\n\r\nok`],
  ['lines that end with a line feed alone', 'HTTP/1.1 200 OK\nx-a: b\ncontent-length: 2\n\nok'],
  ['empty lines before it', `\r\n\r\n\n\r\n${ok}`],
  ['a folded header', `${head}x-a: b\r\n  c\r\n\td\r\ncontent-length: 2\r\n\r\nok`],
  ['white space before the first header', `${head} x-a: b\r\ncontent-length: 2\r\n\r\nok`],
  ['a header with a null byte', `${head}x-a: a\0b\x01\r\ncontent-length: 2\r\n\r\nok`],
  ['HTTP/1.9', 'HTTP/1.9 200 OK\r\ncontent-length: 2\r\n\r\nok'],
  ['tabs and spaces in the status line', 'HTTP/1.1 \t 200\tOK\r\ncontent-length: 2\r\n\r\nok'],
  ['a coding named identity', `${head}transfer-encoding: identity\r\ncontent-length: 2\r\n\r\nok`],
  ['a header of 20 000 bytes', `${head}x-a: ${'a'.repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`],
  ['10 000 headers', `${head}${'a: b\r\n'.repeat(10_000)}content-length: 2\r\n\r\nok`],
  ['a status line of 100 000 bytes', `HTTP/1.1 200 ${'o'.repeat(100_000)}\r\ncontent-length: 2\r\n\r\nok`],
]

test.each(unusual)('an answer with %s is taken, and its connection used again', async (_name, answer) => {
  const receiver = await aRawReceiver(answering(Buffer.from(answer, 'latin1')))
  const sender = aSender()
  for (let round = 0; round < 2; round++) {
    const result = await responseFrom(sender, aRequest(receiver.url))
    expect(result).toMatchObject({ httpStatus: 200, response: { truncated: false } })
    expect(Buffer.from(result.response.body).toString()).toBe('ok')
    expect(result).not.toHaveProperty('brokeOff')
  }
  expect(receiver.connections()).toBe(1)
})

test.each(unusual.filter(([, answer]) => answer.length < 2000))(
  'an answer with %s is taken when each byte comes alone',
  async (_name, answer) => {
    const receiver = await aRawReceiver((socket) => {
      socket.setNoDelay(true)
      socket.once('data', () => void byteByByte(socket, Buffer.from(answer, 'latin1')))
    })
    const result = await responseFrom(aSender(), aRequest(receiver.url))
    expect(Buffer.from(result.response.body).toString()).toBe('ok')
  },
)

async function byteByByte(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
}

/** The headers are whole, so the status counts; of the body there is what came. */
const broken: readonly (readonly [name: string, rest: string, body: string])[] = [
  ['ends before its length', 'content-length: 10\r\n\r\nabc', 'abc'],
  ['does not begin', 'content-length: 10\r\n\r\n', ''],
  ['ends within a chunk', 'transfer-encoding: chunked\r\n\r\n5\r\nab', 'ab'],
  ['ends between two chunks', 'transfer-encoding: chunked\r\n\r\n2\r\nab\r\n', 'ab'],
  ['has a chunk without a size', 'transfer-encoding: chunked\r\n\r\nzz\r\n', ''],
  ['ends its chunk lines with line feeds', 'transfer-encoding: chunked\r\n\r\n2\nab\n0\n\n', ''],
  ['has a length that no number holds', `content-length: ${digits}\r\n\r\nabc`, 'abc'],
  ['has trailers that are none', 'transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx y z\r\n\r\n', 'ab'],
]

test.each(broken)('a 2xx whose body %s is a success, and the capture says so', async (_name, rest, body) => {
  const receiver = await aRawReceiver((socket) => socket.once('data', () => socket.end(head + rest)))
  const result = await responseFrom(aSender(), aRequest(receiver.url))
  expect(result).toMatchObject({ httpStatus: 200, response: { truncated: true } })
  expect(Buffer.from(result.response.body).toString()).toBe(body)
  expect(result.brokeOff).not.toBe('')
  await receiver.allClosed()
})

test.each([301, 410, 429, 500])(
  'an answer of %i keeps its status when its body breaks off',
  async (status) => {
    const receiver = await aRawReceiver((socket) =>
      socket.once('data', () =>
        socket.end(`HTTP/1.1 ${status} Hm\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\nabc`),
      ),
    )
    const result = await responseFrom(aSender(), aRequest(receiver.url))
    expect(result).toMatchObject({ httpStatus: status, retryAfter: '7', response: { truncated: true } })
  },
)

test('a 2xx whose connection is reset within its body is a success', async () => {
  const receiver = await aRawReceiver((socket) =>
    socket.once('data', () =>
      socket.write(`${head}content-length: 10\r\n\r\nabc`, () =>
        setImmediate(() => socket.resetAndDestroy()),
      ),
    ),
  )
  expect(await responseFrom(aSender(), aRequest(receiver.url))).toMatchObject({
    httpStatus: 200,
    response: { truncated: true },
  })
})

test('with a length and chunks the chunks count, and the connection is not used again', async () => {
  const answer = `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`
  const receiver = await aRawReceiver(answering(answer))
  const sender = aSender()
  for (let round = 0; round < 2; round++) {
    const result = await responseFrom(sender, aRequest(receiver.url))
    expect(Buffer.from(result.response.body).toString()).toBe('ok')
  }
  expect(receiver.connections()).toBe(2)
})

test('of headers beyond 16 KiB the first are kept', async () => {
  const lines = `x-a: b\r\nx-b: ${'b'.repeat(100_000)}\r\nx-c: d\r\ncontent-length: 2\r\n\r\nok`
  const receiver = await aRawReceiver(answering(head + lines))
  const { headers } = (await responseFrom(aSender(), aRequest(receiver.url))).response
  expect(headers.map(([name]) => name)).toEqual(['x-a', 'x-b'])
  expect(headers.flat().join('').length).toBe(16_384)
})

const continued = `HTTP/1.1 100 Continue\r\n\r\n${head}content-length: 2\r\ncontent-length: 2\r\n\r\nok`

test('the stand-alone sender takes them over TLS', async () => {
  const receiver = await aTlsReceiver(answering(continued))
  const result = await aWebhook(receiver.url, { ca: testAuthority }).send({})
  expect(result).toMatchObject({ ok: true, status: 200, attempts: 1, response: 'ok' })
})

test('the stand-alone sender takes them through a tunnel of a proxy', async () => {
  const receiver = await aTlsReceiver(answering(continued))
  const proxy = await anHttpProxy()
  const proxies = { get: () => proxy.url, burn: () => {} }
  const result = await aWebhook(receiver.url, { proxies, ca: testAuthority }).send({})
  expect(result).toMatchObject({ ok: true, status: 200, attempts: 1, response: 'ok' })
})

test('the stand-alone sender takes them from a proxy that gets the whole URL', async () => {
  const proxy = await aRawReceiver(answering(continued))
  const proxies = { get: () => proxy.url, burn: () => {} }
  const result = await aWebhook('http://receiver.invalid/', { proxies }).send({})
  expect(result).toMatchObject({ ok: true, status: 200, attempts: 1, response: 'ok' })
})

test('a tunnel is open when interim answers come before that of the proxy', async () => {
  const proxy = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\ncontent-length: 7\n\n')
      answering(ok)(socket)
    })
  })
  const tunnelled = aWebhook('http://203.0.113.1/', {
    proxies: { get: () => proxy.url, burn: () => {} },
    guard: { allowHttp: true, allowNetworks: ['203.0.113.0/24'] },
  })
  expect(await tunnelled.send({})).toMatchObject({ ok: true, attempts: 1 })
})

test('the stand-alone sender takes a 200 whose body never ends, and does not send again', async () => {
  let requests = 0
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      requests++
      socket.write(`${head}content-length: 10\r\n\r\n{"a"`)
    })
  })
  const result = await aWebhook(receiver.url, { timeoutMs: 100 }).send({})
  expect(result).toMatchObject({ ok: true, status: 200, attempts: 1, response: '{"a"' })
  expect(requests).toBe(1)
})
