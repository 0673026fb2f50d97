/** A store whose owner is another process, which lives or was killed. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { leaseMs } from '../store/contract/scene.ts'
import { makeDirectory } from '../store/sqlite-harness.ts'
import { type ChildStore, startChildStore } from './child-store.ts'

let directory: ReturnType<typeof makeDirectory>
let child: ChildStore | null = null
let store: SqliteStore | null = null
beforeEach(() => {
  directory = makeDirectory()
})
afterEach(async () => {
  await store?.close()
  await child?.kill()
  store = null
  child = null
  directory.remove()
})
const path = () => join(directory.path, 'hooks.db')
const open = (lockWaitMs: number) => openSqliteStore({ path: path(), clock: createSystemClock(), lockWaitMs })

it('refuses a second process and names the first', async () => {
  child = startChildStore(path(), 'idle')
  await child.waitForLines(1)
  await expect(open(50)).rejects.toMatchObject({
    code: 'store_locked',
    message: expect.stringContaining(`pid ${child.pid} `),
  })
})

it('waits for an owner that is about to go, and gets the file when it is killed', async () => {
  child = startChildStore(path(), 'idle')
  await child.waitForLines(1)
  const opening = open(5000)
  await child.kill()
  store = await opening
  await store.ping()
})

it('keeps every acknowledged publish when the process is killed amid writing', async () => {
  child = startChildStore(path(), 'publishing')
  await child.waitForLines(200)
  await child.kill()
  const acknowledged = child.lines.slice(1).filter((line) => line.length === 30)

  store = await open(5000)
  for (const id of acknowledged) expect(await store.getEvent(defaultTenantId, id)).not.toBeNull()
  const { deliveries } = await store.counts()
  expect(deliveries.pending).toBeGreaterThanOrEqual(acknowledged.length)
  // Whatever was leased to the dead process is due at once, and counts as a lost claim.
  const claim = await store.claim({ limit: 10, maxBytes: 1e6, leaseMs, slots: new Map() })
  expect(claim.deliveries.map((delivery) => delivery.lostClaims)).toEqual(Array.from({ length: 10 }, () => 1))
})
