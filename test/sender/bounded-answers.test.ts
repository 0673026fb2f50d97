/** An attempt reads 128 KiB at most, whatever the receiver fills its answer with. */
import type { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { type Connector, DirectConnector } from '../../src/sender/connector.ts'
import { Resolver } from '../../src/sender/resolver.ts'
import {
  aRawReceiver,
  aRequest,
  aSender,
  aTlsReceiver,
  failureFrom,
  responseFrom,
  type SocketHandler,
  testAuthority,
} from './raw-receiver.ts'

const maxBytes = 131_072
/** One more chunk may be on its way through the socket. */
const maxRead = maxBytes + 65_536

/** A sender, and how many bytes its connections have read in all. */
function aCountedSender() {
  const sockets: Socket[] = []
  const resolver = new Resolver({ clock: createSystemClock() })
  const direct = new DirectConnector({ guard: null, resolver, connectTimeoutMs: 3000, ca: testAuthority })
  const connector: Connector = {
    open: (target, callback) =>
      direct.open(target, (error, socket) => {
        if (socket !== null) sockets.push(socket)
        callback(error, socket)
      }),
  }
  const sender = aSender({ connector })
  return { sender, bytesRead: () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0) }
}

/** Writes the beginning, and then the rest again and again for as long as it is read. */
function withoutEnd(start: string, more: string): SocketHandler {
  const chunk = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)), 'latin1')
  return (socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.once('data', () => {
      socket.write(start)
      socket.on('drain', write)
      write()
    })
  }
}

const heads: readonly (readonly [name: string, start: string, more: string])[] = [
  ['a status line', 'HTTP/1.1 200 ', 'o'],
  ['a header', 'HTTP/1.1 200 OK\r\nx-a: ', 'a'],
  ['a header name', 'HTTP/1.1 200 OK\r\n', 'a'],
  ['headers', 'HTTP/1.1 200 OK\r\n', 'a: b\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\na: b\r\n', ' c\r\n'],
  ['empty lines', '', '\r\n'],
  ['line feeds', '', '\n'],
  ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n', 'link: <a>\r\n'],
]

test('interim answers without end: a connection failure after a hundred', async () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
  const receiver = await aRawReceiver(withoutEnd('', interim))
  const { sender } = aCountedSender()
  const result = await failureFrom(sender, aRequest(receiver.url))
  expect(result).toMatchObject({ errorClass: 'connection', httpStatus: null })
  expect(result.error).toContain('sent 100 interim answers and no other')
})

test('a hundred interim answers before the answer are read over', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () =>
      socket.end(`${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)}HTTP/1.1 204 No Content\r\n\r\n`),
    )
  })
  const { sender } = aCountedSender()
  expect(await sender.attempt(aRequest(receiver.url))).toMatchObject({ kind: 'response', httpStatus: 204 })
})

test.each(heads)('%s without end: a connection failure after 128 KiB', async (_name, start, more) => {
  const receiver = await aRawReceiver(withoutEnd(start, more))
  const { sender, bytesRead } = aCountedSender()
  const result = await failureFrom(sender, aRequest(receiver.url))
  expect(result).toMatchObject({ errorClass: 'connection', httpStatus: null })
  expect(result.error).toContain(`sent ${maxBytes} bytes and no end of its answer's headers`)
  await receiver.allClosed()
  expect(bytesRead()).toBeGreaterThan(maxBytes)
  expect(bytesRead()).toBeLessThanOrEqual(maxRead)
})

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const bodies: readonly (readonly [name: string, start: string, more: string])[] = [
  ['a chunk extension', `${chunked}2;a=`, 'b'],
  ['chunk extensions', chunked, `1;${'e'.repeat(1000)}\r\nx\r\n`],
  ['zeros before a chunk size', chunked, '0'],
  ['a trailer', `${chunked}2\r\nok\r\n0\r\nx-a: `, 'a'],
  ['trailers', `${chunked}2\r\nok\r\n0\r\n`, 'a: b\r\n'],
  ['a body', 'HTTP/1.1 200 OK\r\n\r\n', 'x'],
  ['small chunks', chunked, '1\r\nx\r\n'],
]

test.each(bodies)('%s without end: the status counts, after 128 KiB at most', async (_name, start, more) => {
  const receiver = await aRawReceiver(withoutEnd(start, more))
  const { sender, bytesRead } = aCountedSender()
  const result = await responseFrom(sender, aRequest(receiver.url))
  expect(result).toMatchObject({ httpStatus: 200, response: { truncated: true } })
  await receiver.allClosed()
  expect(bytesRead()).toBeLessThanOrEqual(maxRead)
})

test('over TLS the bound is the same', async () => {
  const receiver = await aTlsReceiver(withoutEnd('HTTP/1.1 200 ', 'o'))
  const { sender, bytesRead } = aCountedSender()
  expect(await failureFrom(sender, aRequest(receiver.url))).toMatchObject({ errorClass: 'connection' })
  await receiver.allClosed()
  expect(bytesRead()).toBeLessThanOrEqual(2 * maxRead)
})

test('the bound is that of each attempt, not of a connection', async () => {
  const answer = `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(100_000)}\r\ncontent-length: 0\r\n\r\n`
  const receiver = await aRawReceiver((socket) => socket.on('data', () => socket.write(answer)))
  const sender = aSender()
  for (let round = 0; round < 4; round++) {
    expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
  }
  expect(receiver.connections()).toBe(1)
})

test('answers that come in pieces, in turns on many connections, are not mixed up', async () => {
  const sender = aSender()
  const sockets: Socket[] = []
  const receivers = await Promise.all(
    Array.from({ length: 8 }, () =>
      aRawReceiver((socket) => {
        socket.once('data', () => sockets.push(socket))
      }),
    ),
  )
  const results = receivers.map(({ url }) => responseFrom(sender, aRequest(url)))
  await vi.waitFor(() => expect(sockets).toHaveLength(8))
  const answerOf = (socket: Socket) => {
    const mark = String(socket.localPort).repeat(10)
    return `HTTP/1.1 200 OK\r\nx-mark: ${mark}\r\ncontent-length: ${mark.length}\r\n\r\n${mark}`
  }
  const longest = Math.max(...sockets.map((socket) => answerOf(socket).length))
  for (let at = 0; at < longest; at += 7) {
    for (const socket of sockets) socket.write(answerOf(socket).slice(at, at + 7))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  for (const [index, result] of (await Promise.all(results)).entries()) {
    const mark = new URL(receivers[index]?.url ?? '').port.repeat(10)
    expect(result.response.headers).toContainEqual(['x-mark', mark])
    expect(Buffer.from(result.response.body).toString()).toBe(mark)
  }
})
