/** When a connection carries the next request too, and when it does not. */
import { expect, test } from 'vitest'
import { answering, aRawReceiver, aRequest, aSender, ok, responseFrom } from './raw-receiver.ts'

const bare = 'content-length: 2\r\n\r\nok'

test.each([
  ['HTTP/1.1 without a word about it', `HTTP/1.1 200 OK\r\n${bare}`, 1],
  ['Connection: close', `HTTP/1.1 200 OK\r\nconnection: close\r\n${bare}`, 3],
  ['close in a list, in capitals', `HTTP/1.1 200 OK\r\nConnection: foo, CLOSE\r\n${bare}`, 3],
  ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${bare}`, 3],
  ['HTTP/1.0 with keep-alive', `HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\n${bare}`, 1],
  ['a receiver that keeps it for a minute', `HTTP/1.1 200 OK\r\nkeep-alive: timeout=60, max=9\r\n${bare}`, 1],
  ['a receiver that keeps it for a second', `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n${bare}`, 3],
  ['204 without a length', 'HTTP/1.1 204 No Content\r\n\r\n', 1],
  ['304 with the length of what it stands for', 'HTTP/1.1 304 Hm\r\ncontent-length: 9\r\n\r\n', 1],
  ['bytes behind the end', `HTTP/1.1 200 OK\r\n${bare}HTTP/1.1 200 OK\r\n`, 3],
])('%s', async (_name, answer, connections) => {
  const receiver = await aRawReceiver(answering(answer))
  const sender = aSender()
  for (let round = 0; round < 3; round++) {
    await responseFrom(sender, aRequest(receiver.url))
    await new Promise(setImmediate)
  }
  expect(receiver.connections()).toBe(connections)
})

test('a connection whose request was answered before it was written is not used again', async () => {
  const receiver = await aRawReceiver((socket) =>
    socket.once('data', () => {
      socket.pause()
      socket.write(ok)
    }),
  )
  const sender = aSender()
  const body = Buffer.alloc(32 * 1024 * 1024)
  for (let round = 0; round < 2; round++) {
    const result = await responseFrom(sender, { ...aRequest(receiver.url), body })
    expect(result.httpStatus).toBe(200)
  }
  expect(receiver.connections()).toBe(2)
})

test('what an idle connection says unasked ends it', async () => {
  const receiver = await aRawReceiver((socket) =>
    socket.once('data', () => {
      socket.write(ok)
      setImmediate(() => setImmediate(() => socket.write('HTTP/1.1 408 Hm\r\ncontent-length: 0\r\n\r\n')))
    }),
  )
  const sender = aSender()
  await responseFrom(sender, aRequest(receiver.url))
  await receiver.allClosed()
  expect((await responseFrom(sender, aRequest(receiver.url))).httpStatus).toBe(200)
  expect(receiver.connections()).toBe(2)
})
