import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { makeDirectory } from './sqlite-harness.ts'

let directory: ReturnType<typeof makeDirectory>
beforeEach(() => {
  directory = makeDirectory()
})
afterEach(() => directory.remove())
const path = () => join(directory.path, 'hooks.db')
const open = (lockWaitMs: number) => openSqliteStore({ path: path(), clock: createManualClock(), lockWaitMs })

it('refuses a second store in the same process', async () => {
  const store = await open(0)
  await expect(open(50)).rejects.toMatchObject({ code: 'store_locked' })
  await store.close()
})

it.skipIf(process.platform === 'win32')('every file that it makes is for its owner only', async () => {
  chmodSync(directory.path, 0o755)
  const store = await open(0)
  await store.setMetaOnce('any', 'thing')
  const names = readdirSync(directory.path)
  const readable = names.filter((name) => (statSync(join(directory.path, name)).mode & 0o777) !== 0o600)
  await store.close()
  expect(names).toEqual(
    expect.arrayContaining(['', '-shm', '-wal', '.lock', '.owner'].map((end) => `hooks.db${end}`)),
  )
  expect(readable).toEqual([])
})

it('a path that is a directory is named, and nothing is left beside it', async () => {
  mkdirSync(path())
  await expect(open(0)).rejects.toMatchObject({
    code: 'invalid_config',
    message: `${path()} is a directory; name a file in it`,
  })
  expect(readdirSync(directory.path)).toEqual(['hooks.db'])
})

it('leaves the file to the next one when it is closed', async () => {
  await (await open(0)).close()
  expect(existsSync(`${path()}.owner`)).toBe(false)
  await (await open(0)).close()
})
