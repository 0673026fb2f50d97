/** Each built-in retry profile through a whole program, with a clock of the test's own. */
import { expect, test } from 'vitest'
import { isRetryableStatus, type RetryProfileName, retryProfiles } from '../../src/core/retry-policy.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anApp, anEndpointAt, aReceiver, attemptedAfter, publish } from './an-app.ts'

const second = 1000

/** The waits, and between which shares of them each lies. */
const expected: Readonly<
  Record<
    Exclude<RetryProfileName, 'standard'>,
    readonly [waits: readonly number[], share: readonly [number, number]]
  >
> = {
  dograh: [[30, 60, 120, 240].map((wait) => wait * second), [1, 1]],
  pyfly: [[5, 10, 20, 40].map((wait) => wait * second), [1, 1]],
  hookrail: [[5, 10, 20, 40, 80, 160, 320].map((wait) => wait * second), [0, 1]],
}

test.each(Object.keys(expected) as (keyof typeof expected)[])(
  'S1.21 S3.6 S4.7 under %s a delivery is tried as often and waits as long as the profile says, and is a dead letter then',
  async (profile) => {
    const [waits, [least, most]] = expected[profile]
    const clock = createManualClock()
    const app = await anApp({ clock })
    const receiver = await aReceiver()
    await anEndpointAt(app.engine, `${receiver.url}/status/503`, { retryPolicy: profile })
    await publish(app.engine)
    let attempts = await app.attempted(1)
    for (const [index, wait] of waits.entries()) {
      const next = attempts[index]?.nextAttemptInMs ?? Number.NaN
      expect(next).toBeGreaterThanOrEqual(wait * least)
      expect(next).toBeLessThanOrEqual(wait * most)
      // Not before its time.
      if (next > second) {
        await clock.advance(next - second)
        await app.engine.ping()
        expect(receiver.received).toHaveLength(index + 1)
      }
      const left = Math.min(next, second)
      attempts = await attemptedAfter(app, clock, { ms: left, count: index + 2 })
    }
    const tries = waits.length + 1
    expect(attempts.at(-1)).toMatchObject({ attemptNo: tries, state: 'dead_lettered', nextAttemptInMs: null })
    expect(receiver.received).toHaveLength(tries)
  },
)

test('under standard the first waits are five seconds, five minutes and half an hour, each a fifth more or less', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/status/503`)
  await publish(app.engine)
  let attempts = await app.attempted(1)
  for (const [index, wait] of [5 * second, 300 * second, 1800 * second].entries()) {
    const next = attempts[index]?.nextAttemptInMs ?? Number.NaN
    expect(next).toBeGreaterThanOrEqual(wait * 0.8)
    expect(next).toBeLessThanOrEqual(wait * 1.2)
    // The others are those of the schedule; days of a whole program would take minutes.
    if (index < 2) attempts = await attemptedAfter(app, clock, { ms: next, count: index + 2 })
  }
})

test('the waits of dograh and pyfly do not grow beyond ten and five minutes', () => {
  expect(retryProfiles.dograh.delays.capMs).toBe(600 * second)
  expect(retryProfiles.pyfly.delays.capMs).toBe(300 * second)
})

const all = Array.from({ length: 500 }, (_, index) => 100 + index)
const sets: Readonly<Record<RetryProfileName, (status: number) => boolean>> = {
  dograh: (status) => [408, 425, 429, 500, 502, 503, 504].includes(status),
  pyfly: (status) => status === 408 || status === 429 || status >= 500,
  hookrail: (status) => [408, 425, 429].includes(status) || status >= 500 || status < 200,
  standard: (status) => (status < 200 || status >= 400) && ![400, 410, 413, 422].includes(status),
}
test.each(Object.keys(sets) as RetryProfileName[])('%s retries exactly its own statuses', (profile) => {
  const retried = all.filter((status) => isRetryableStatus(retryProfiles[profile], status))
  expect(retried).toEqual(all.filter(sets[profile]))
})
