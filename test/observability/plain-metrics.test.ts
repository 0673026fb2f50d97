import { expect, test } from 'vitest'
import { Counter, Histogram, Registry } from '../../src/bundled/prom-client.ts'
import { PlainCounter, PlainHistogram } from '../../src/observability/plain-metrics.ts'

const described = { name: 'a_total', help: 'What is counted.' }

test('plain counters and histograms are shown as those of prom-client are', async () => {
  const [plain, usual] = [new Registry(), new Registry()]
  const bounds = [0.1, 0.25, 1]
  const counter = new PlainCounter(plain, described)
  const histogram = new PlainHistogram(plain, { name: 'a_seconds', help: 'Time.' }, bounds)
  const usualCounter = new Counter({ ...described, labelNames: ['method', 'status'], registers: [usual] })
  const usualHistogram = new Histogram({
    name: 'a_seconds',
    help: 'Time.',
    buckets: bounds,
    registers: [usual],
  })
  expect((await plain.metrics()).trim()).toBe((await usual.metrics()).trim())

  const [get, post] = [
    counter.tally({ method: 'GET', status: '200' }),
    counter.tally({ method: 'POST', status: '202' }),
  ]
  usualCounter.labels('GET', '200').inc(0)
  post.value += 3
  usualCounter.labels('POST', '202').inc(3)
  get.value++
  usualCounter.labels('GET', '200').inc()
  for (const seconds of [0, 0.1, 0.100001, 0.25, 0.7, 1, 1.5, 100]) {
    histogram.observe(seconds)
    usualHistogram.observe(seconds)
  }
  expect(await plain.metrics()).toBe(await usual.metrics())
})
