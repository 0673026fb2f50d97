/** Receivers that take a few requests a second and refuse the others. */
import { expect, test } from 'vitest'
import { anApp, anEndpointAt, publish } from '../delivery/an-app.ts'
import { aThrottlingReceiver } from './throttling-receiver.ts'

const fiveAttempts = { max_attempts: 5, delays: ['1s', '2s', '4s', '8s'], jitter: 'none', retry_on: ['429'] }

test('a receiver that takes five a second gets 200 waiting events, with few refusals and no dead letter', async () => {
  const { url, counts } = await aThrottlingReceiver({ perSecond: 5, retryAfter: { seconds: 2 } })
  const app = await anApp()
  await anEndpointAt(app.engine, url, { retryPolicy: fiveAttempts })
  await Promise.all(Array.from({ length: 200 }, () => publish(app.engine)))
  const startedAt = performance.now()
  let dead = 0
  app.engine.activity.on('deadLetter', () => dead++)
  while (counts.taken < 200 && performance.now() - startedAt < 110_000) {
    await new Promise((resolve) => app.engine.activity.once('recorded', resolve))
  }
  process.stdout.write(`one process: ${JSON.stringify(counts)}\n`)
  expect(counts.taken).toBe(200)
  expect(dead).toBe(0)
  expect(counts.refused).toBeLessThanOrEqual(60)
  // Those that were under way when the first refusal was read.
  expect(counts.tooSoon).toBeLessThanOrEqual(32)
}, 120_000)
