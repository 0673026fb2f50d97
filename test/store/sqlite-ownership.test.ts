import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { backupSqlite } from '../../src/store/sqlite/copy/backup.ts'
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

it('a second store in the same process is told to use the first, and not to stop itself', async () => {
  const store = await open(0)
  const refused = open(50)
  await expect(refused).rejects.toMatchObject({
    code: 'store_locked',
    message: expect.stringMatching(
      /is open in this process already .*globalThis: docs\/guides\/hot-reload\.md/,
    ),
  })
  await expect(refused).rejects.not.toThrow(/stop that process/)
  expect(existsSync(join(import.meta.dirname, '../../docs/guides/hot-reload.md'))).toBe(true)
  await store.close()
})

it('an owner with this pid on another machine is another process', async () => {
  const store = await open(0)
  writeFileSync(`${path()}.owner`, `pid ${process.pid} on elsewhere since 2026-01-01T00:00:00.000Z\n`)
  await expect(open(50)).rejects.toThrow(/in use by pid \d+ on elsewhere .*; stop that process/)
  await store.close()
})

const other = () => join(directory.path, 'other', 'link.db')
const openOther = () => openSqliteStore({ path: other(), clock: createManualClock(), lockWaitMs: 50 })

/** A store that is in use, with something in its log. */
async function aLiveStore() {
  const store = await open(0)
  await store.setMetaOnce('any', 'thing')
  mkdirSync(dirname(other()))
  return store
}

it('a hard link to a live database is refused, and nothing is left beside it', async () => {
  const store = await aLiveStore()
  linkSync(path(), other())
  await expect(openOther()).rejects.toMatchObject({
    code: 'store_locked',
    message: expect.stringContaining(`${other()} is a hard link: the same file has 2 names`),
  })
  expect(readdirSync(dirname(other()))).toEqual(['link.db'])
  await store.close()
  // Its log may stand beside the other name at any time.
  await expect(openOther()).rejects.toMatchObject({ code: 'store_locked' })
})

it('a hard link that has a lock file of its own is refused while the database is in use', async () => {
  const store = await aLiveStore()
  linkSync(path(), other())
  writeFileSync(`${other()}.lock`, '')
  await expect(openOther()).rejects.toThrow(/is in use under another name/)
  await store.close()
})

it('a live database that was moved is refused under its new name', async () => {
  const store = await aLiveStore()
  renameSync(path(), other())
  await expect(openOther()).rejects.toThrow(/is in use under another name/)
  await store.close()
})

it('neither a backup nor an examination reads a hard link, whose log is elsewhere', async () => {
  const store = await aLiveStore()
  linkSync(path(), other())
  await expect(backupSqlite(other(), join(directory.path, 'copy.db'))).rejects.toThrow(/is a hard link/)
  await backupSqlite(path(), join(directory.path, 'copy.db'))
  await store.close()
})

it('the owner of a database that somebody has linked starts again under the name it had', async () => {
  const store = await aLiveStore()
  linkSync(path(), other())
  await store.close()
  const again = await open(0)
  expect(await again.setMetaOnce('any', 'other')).toBe('thing')
  await again.close()
})

it('a copy of a database is a database of its own', async () => {
  const store = await aLiveStore()
  await backupSqlite(path(), other())
  const copy = await openOther()
  expect(await copy.setMetaOnce('any', 'other')).toBe('thing')
  await copy.close()
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
