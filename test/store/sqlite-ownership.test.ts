import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { type ChildStore, startChildStore } from './child-store.ts'
import { makeDirectory } from './sqlite-harness.ts'

let directory: ReturnType<typeof makeDirectory>
let child: ChildStore | null = null
beforeEach(() => {
  directory = makeDirectory()
})
afterEach(async () => {
  await child?.kill()
  child = null
  directory.remove()
})
const path = () => join(directory.path, 'hooks.db')
const open = (lockWaitMs: number) => openSqliteStore({ path: path(), clock: createManualClock(), lockWaitMs })

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
  const store = await opening
  await store.ping()
  await store.close()
})

it('refuses a second store in the same process', async () => {
  const store = await open(0)
  await expect(open(50)).rejects.toMatchObject({ code: 'store_locked' })
  await store.close()
})

it('leaves the file to the next one when it is closed', async () => {
  await (await open(0)).close()
  expect(existsSync(`${path()}.owner`)).toBe(false)
  await (await open(0)).close()
})
