/** Many small events through the real server: each delivered once, and the process does not grow with them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask, forEachOf, isDrained, until } from './api-calls.ts'
import { startLedger } from './ledger-receiver.ts'
import { aDirectory, startServer } from './server-process.ts'

/** Half of them bring V8's heap to the size at which it collects. */
const events = 40_000
const batchSize = 250
const bytesPerMb = 1024 * 1024
/** A server at rest takes about 150 MB, most of it Node's. */
const maxResidentMb = 480
/** What the second half may add to the peak of the first. */
const maxGrowthMb = 100

test(`${events} events are delivered once each, in bounded memory`, { timeout: 300_000 }, async () => {
  const ledger = await startLedger(() => ({ status: 204, afterMs: 0 }))
  const server = await startServer({
    database: join(aDirectory(), 'soak.db'),
    flags: ['--log-level', 'info'],
  })
  const body = { url: `${ledger.url}/hook`, topics: ['soak.*'], max_in_flight: 64 }
  await ask(server.url, '/v1/endpoints', { body })
  const eventIds = new Set<string>()
  const publishHalf = async (half: number) => {
    const batches = Array.from({ length: events / 2 / batchSize }, (_, no) => no)
    await forEachOf(batches, 4, async (batch) => {
      const items = Array.from({ length: batchSize }, (_, no) => ({
        topic: 'soak.test',
        payload: { half, batch, no },
      }))
      const answer = await ask(server.url, '/v1/events/batch', { body: { events: items } })
      for (const { status, event_id } of answer.items) {
        if (status === 202) eventIds.add(event_id)
      }
    })
    await until('everything is delivered', () => isDrained(server.url), 80_000)
    return peakResidentMb(server.pid)
  }
  const startedAt = performance.now()
  const first = await publishHalf(1)
  const second = await publishHalf(2)
  const seconds = (performance.now() - startedAt) / 1000
  process.stdout.write(
    `soak: ${eventIds.size} events in ${seconds.toFixed(1)} s, resident at most ${first ?? '?'} MB after the first half and ${second ?? '?'} MB in all\n`,
  )

  expect(eventIds.size).toBe(events)
  const entries = [...ledger.entries.values()]
  expect(new Set(entries.map((entry) => entry.eventId))).toEqual(eventIds)
  expect(entries.filter((entry) => entry.requests !== 1)).toEqual([])
  if (first === null || second === null) return
  expect(second).toBeLessThan(maxResidentMb)
  expect(second - first).toBeLessThan(maxGrowthMb)
})

/** Null where the system does not say. */
function peakResidentMb(pid: number): number | null {
  if (process.platform !== 'linux') return null
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return kib === undefined ? null : Math.round((Number(kib) * 1024) / bytesPerMb)
}
