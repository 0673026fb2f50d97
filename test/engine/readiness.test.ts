import { beforeEach, expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { StoreFault } from '../../src/core/store-fault.ts'
import { Readiness } from '../../src/engine/readiness.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import { openFileHarness } from '../store/sqlite-harness.ts'

let clock: ManualClock
let probes: number
let answer: () => Promise<void>
let publishing: () => Promise<readonly { readonly kind: 'published'; readonly handedOff: readonly [] }[]>
let lines: string[]
let readiness: Readiness
beforeEach(() => {
  clock = createManualClock()
  probes = 0
  answer = async () => {}
  publishing = async () => [{ kind: 'published', handedOff: [] }]
  lines = []
  const log = (_: unknown, message: string) => void lines.push(message)
  readiness = new Readiness({
    clock,
    logger: { ...silentLogger, warn: log, info: log },
    store: {
      ping: async () => {},
      probeWrite: () => {
        probes++
        return answer()
      },
      publish: () => publishing(),
    },
  })
})

const fails = (fault: StoreFault) => async () => {
  throw new OuthookError('store_unavailable', 'x', { fault })
}
const publish = () => readiness.publish([], { leaseMs: 0 }).catch(() => null)

test('a thousand who ask cost one write, and one more after a second', async () => {
  await Promise.all(Array.from({ length: 1000 }, () => readiness.check()))
  expect(probes).toBe(1)
  await clock.advance(1001)
  await readiness.check()
  await readiness.check()
  expect(probes).toBe(2)
})

test('while publishes succeed nothing is written for it', async () => {
  await publish()
  await readiness.check()
  expect(probes).toBe(0)
})

test('a publish that was refused is looked into at once', async () => {
  await readiness.check()
  publishing = fails('full')
  answer = fails('full')
  await publish()
  await expect(readiness.check()).rejects.toMatchObject({ fault: 'full' })
  answer = async () => {}
  await readiness.check()
  expect(lines).toEqual([
    'not ready: a publish would not be durable now',
    'ready again: the database takes writes',
  ])
})

test('damage that a publish met is believed though the probe meets none, until one succeeds or ten seconds passed', async () => {
  publishing = fails('damaged')
  await publish()
  await expect(readiness.check()).rejects.toMatchObject({ fault: 'damaged' })
  await clock.advance(10_001)
  await readiness.check()
  await publish()
  await expect(readiness.check()).rejects.toMatchObject({ fault: 'damaged' })
  publishing = async () => [{ kind: 'published', handedOff: [] }]
  await publish()
  await readiness.check()
})

test('a store that does not answer is not ready before half a second is over, and is asked once', async () => {
  answer = () => new Promise(() => {})
  const first = readiness.check().catch((error) => error)
  const second = readiness.check().catch((error) => error)
  await clock.advance(450)
  for (const error of await Promise.all([first, second])) {
    expect(error).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('no answer in time'),
    })
  }
  expect(probes).toBe(1)
})

test('on SQLite a file that may not grow is full, and its probe leaves nothing behind', async () => {
  const harness = await openFileHarness()
  const store: SqliteStore = harness.store
  await store.probeWrite()
  const pages = Number(await store.readPragma('page_count'))
  await store.setMaxPageCount(1)
  // What was free inside is used up by the first ones.
  await expect(
    (async () => {
      for (let no = 0; no < 100; no++) await store.setMetaOnce(`filler ${no}`, 'x'.repeat(20_000))
    })(),
  ).rejects.toMatchObject({ fault: 'full' })
  await expect(store.probeWrite()).rejects.toMatchObject({ code: 'store_unavailable', fault: 'full' })
  await store.setMaxPageCount(4_294_967_294)
  await store.probeWrite()
  expect(await store.setMetaOnce('write_probe', 'gone')).toBe('gone')
  expect(pages).toBeGreaterThan(0)
  await harness.close()
})

test('an in-memory store can be asked as well', async () => {
  const store = await openSqliteStore({ path: ':memory:', clock, inProcess: true })
  await store.probeWrite()
  await store.close()
})
