/** Receivers that take a few requests a second and refuse the others with 429. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Pace, SuccessRate } from '../../src/delivery/pace.ts'
import { anApp, anEndpointAt, publish } from './an-app.ts'

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

test('the pace is nine tenths of what was taken, stays so for ten seconds and then grows by five per cent a second', () => {
  const pace = new Pace()
  pace.refused(0, 2000, 100)
  expect([pace.room(1999), pace.room(2000)]).toEqual([0, 1])
  /** Starts what may start, every 100 ms. */
  const run = (from: number, to: number): number => {
    let started = 0
    for (let now = from; now < to; now += 100) {
      for (; pace.room(now) > 0; started++) pace.take(now)
      pace.answered(now)
    }
    return started
  }
  // The first second begins with one, and the others follow by the pace.
  expect(run(2000, 3000)).toBe(82)
  run(3000, 10_000)
  expect(run(10_000, 11_000)).toBeCloseTo(90, -1)
  run(11_000, 20_000)
  expect(run(20_000, 21_000)).toBeGreaterThan(130)
  pace.refused(21_000, 1000, 130)
  pace.refused(21_100, 1000, 0)
  run(22_100, 23_100)
  expect(run(23_100, 24_100)).toBeCloseTo(117, -1)
  expect([pace.isOver(321_000), pace.isOver(321_100)]).toEqual([false, true])
})

test('an endpoint that took nothing before it refused is asked once in two seconds', () => {
  const pace = new Pace()
  pace.refused(0, 1000, 0)
  pace.take(1000)
  expect([pace.room(2900), pace.room(3000)]).toEqual([0, 1])
})

test('the rate of answers is that of the last second', () => {
  const rate = new SuccessRate()
  for (let now = 0; now < 1000; now += 100) rate.add(now)
  expect(rate.perSecond(999)).toBeCloseTo(10, 0)
  expect(rate.perSecond(1500)).toBeCloseTo(5, 0)
  expect(rate.perSecond(5000)).toBe(0)
})
