import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { ConnectionPool } from '../../src/sender/connection-pool.ts'
import { type Connector, DirectConnector } from '../../src/sender/connector.ts'
import { DeadlineQueue } from '../../src/sender/deadlines.ts'
import { HttpAttempt } from '../../src/sender/http-attempt.ts'
import type { AttemptResult } from '../../src/sender/port.ts'
import { Resolver } from '../../src/sender/resolver.ts'
import { answering, aRawReceiver, aRequest, ok } from './raw-receiver.ts'

const clock = createSystemClock()

function aPool(options: { idleMs?: number } = {}) {
  const connector = new DirectConnector({
    guard: null,
    resolver: new Resolver({ clock }),
    connectTimeoutMs: 3000,
  })
  const openSockets = new Set<Socket>()
  const watched: Connector = {
    open: (target, callback) =>
      connector.open(target, (error, socket) => {
        if (socket !== null) {
          openSockets.add(socket)
          socket.on('close', () => openSockets.delete(socket))
        }
        callback(error, socket)
      }),
  }
  const pool = new ConnectionPool({ connector: watched, idleMs: options.idleMs ?? 4000, maxConnections: 10 })
  const settings = {
    clock,
    connectDeadlines: new DeadlineQueue(clock, 3000),
    headersDeadlines: new DeadlineQueue(clock, 3000),
    totalDeadlines: new DeadlineQueue(clock, 3000),
    maxResponseBytes: 65_536,
    captureBytes: 16_384,
  }
  const attempt = (port: number) =>
    new Promise<AttemptResult>((resolve) => {
      const hostPort = `127.0.0.1:${port}`
      const origin = { url: `http://${hostPort}`, secure: false, hostname: '127.0.0.1', port, hostPort }
      const request = aRequest(origin.url)
      pool.run(
        origin,
        new HttpAttempt(request, { path: '/', host: hostPort, hostPort }, { settings, resolve }),
      )
    })
  return { pool, attempt, openSockets }
}

test('a connection that the receiver closed while idle no longer counts', async () => {
  const receiver = await aRawReceiver((socket) => {
    socket.once('data', () => {
      socket.write(ok)
      setTimeout(() => socket.end(), 20)
    })
  })
  const { pool, attempt } = aPool()
  await attempt(receiver.port)
  expect(pool.size).toBe(1)
  await expect.poll(() => pool.size).toBe(0)
})

test('a connection that idled out no longer counts', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const { pool, attempt } = aPool({ idleMs: 20 })
  await attempt(receiver.port)
  await expect.poll(() => pool.size).toBe(0)
})

test('a connection that could not be opened does not count', async () => {
  const { pool, attempt } = aPool()
  expect((await attempt(1)).kind).toBe('failure')
  expect(pool.size).toBe(0)
})

test('close resolves when the last attempt has ended and the last socket is closed', async () => {
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  let answer = () => {}
  const slow = await aRawReceiver((socket) => {
    socket.once('data', () => {
      answer = () => socket.write(ok)
      asked()
    })
  })
  const receiver = await aRawReceiver(answering(ok))
  const { pool, attempt, openSockets } = aPool()
  await Promise.all([attempt(receiver.port), attempt(receiver.port)])
  const running = attempt(slow.port)
  await isAsked
  let closed = false
  const closing = pool.close().then(() => {
    closed = true
  })
  await receiver.allClosed()
  expect(closed).toBe(false)
  answer()
  await running
  await closing
  expect(openSockets.size).toBe(0)
  expect(pool.size).toBe(0)
})

test('close waits for the sockets of idle connections too', async () => {
  const receiver = await aRawReceiver(answering(ok))
  const { pool, attempt, openSockets } = aPool()
  await Promise.all([attempt(receiver.port), attempt(receiver.port)])
  expect(openSockets.size).toBe(2)
  await pool.close()
  expect(openSockets.size).toBe(0)
})
