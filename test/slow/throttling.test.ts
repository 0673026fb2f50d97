/** Receivers that take a few requests a second and refuse the others with 429. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anApp, anEndpointAt, publish } from '../delivery/an-app.ts'

/** Takes so many requests in each second that begins with the first of them. */
async function aThrottlingReceiver(perSecond: number, retryAfter: string) {
  const counts = { taken: 0, refused: 0, tooSoon: 0 }
  let windowAt = Number.NEGATIVE_INFINITY
  let inWindow = 0
  let askedUntil = Number.NEGATIVE_INFINITY
  const server = createServer((request, response) => {
    request.resume()
    const now = performance.now()
    if (now - windowAt >= 1000) {
      windowAt = now
      inWindow = 0
    }
    if (now < askedUntil - 50) counts.tooSoon++
    if (++inWindow <= perSecond) {
      counts.taken++
      response.end()
      return
    }
    counts.refused++
    askedUntil = Math.max(askedUntil, now + Number(retryAfter) * 1000)
    response.writeHead(429, { 'retry-after': retryAfter }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, counts }
}

const fiveAttempts = { max_attempts: 5, delays: ['1s', '2s', '4s', '8s'], jitter: 'none', retry_on: ['429'] }

test('a receiver that takes five a second gets 200 waiting events, with few refusals and no dead letter', async () => {
  const { url, counts } = await aThrottlingReceiver(5, '2')
  const app = await anApp()
  await anEndpointAt(app.engine, url, { retryPolicy: fiveAttempts })
  await Promise.all(Array.from({ length: 200 }, () => publish(app.engine)))
  const startedAt = performance.now()
  let dead = 0
  app.engine.activity.on('deadLetter', () => dead++)
  while (counts.taken < 200 && performance.now() - startedAt < 110_000) {
    await new Promise((resolve) => app.engine.activity.once('recorded', resolve))
  }
  expect(counts.taken).toBe(200)
  expect(dead).toBe(0)
  expect(counts.refused).toBeLessThanOrEqual(60)
  // Those that were under way when the first refusal was read.
  expect(counts.tooSoon).toBeLessThanOrEqual(32)
}, 120_000)
