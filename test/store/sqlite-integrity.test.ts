/** Damage in the file is found, refused and told from other faults. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import * as server from '../../src/server.ts'
import { openDatabase } from '../../src/store/sqlite/connection/database.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { checkIntegrity } from '../../src/store/sqlite/upkeep/check-integrity.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { runToEnd } from '../cli/run-cli.ts'
import { openScene } from './contract/scene.ts'
import { makeDirectory } from './sqlite-harness.ts'

const pageBytes = 4096
const clock = createManualClock()

let path: string
let lines: string[]
beforeEach(() => {
  const directory = makeDirectory()
  onTestFinished(() => directory.remove())
  path = join(directory.path, 'hooks.db')
  lines = []
})

const log = (_: unknown, text: string) => void lines.push(text)
const open = () => openSqliteStore({ path, clock, logger: { ...silentLogger, warn: log, error: log } })
const run = (...args: string[]) => runToEnd([...args, '--store', `sqlite:${path}`], { server })

async function fill(store: SqliteStore): Promise<void> {
  const scene = await openScene(async () => ({
    store,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    close: async () => {},
  }))
  const route = await scene.anEndpoint()
  await scene.publishMany(500, { routes: [route], payload: new TextEncoder().encode(`"${'x'.repeat(500)}"`) })
}

async function aFilledStore(): Promise<void> {
  const store = await open()
  await fill(store)
  await store.close()
}

/** Of each but the first, which names the format. */
function damagePages(every: number): void {
  const pages = statSync(path).size / pageBytes
  const file = openSync(path, 'r+')
  for (let page = every; page < pages; page += every)
    writeSync(file, randomBytes(pageBytes), 0, pageBytes, page * pageBytes)
  closeSync(file)
}

/** Changes a table while nobody knows of its index. */
function disagree(index: string, change: string): void {
  const hidden = new DatabaseSync(path, { defensive: false })
  const row = hidden.prepare('select * from sqlite_schema where name = ?').get(index)
  expect(row).toBeDefined()
  hidden.exec('pragma writable_schema = on')
  hidden.prepare('delete from sqlite_schema where name = ?').run(index)
  hidden.close()
  const changed = new DatabaseSync(path, { defensive: false })
  expect(Number(changed.prepare(change).run().changes)).toBeGreaterThan(0)
  changed.exec('pragma writable_schema = on')
  changed.prepare('insert into sqlite_schema values (?, ?, ?, ?, ?)').run(...Object.values(row ?? {}))
  changed.close()
}

const leaveAsAfterCrash = () => writeFileSync(`${path}.owner`, 'pid 1 on elsewhere\n')

test.each([[[]], [['--quick']]])(
  'outhook doctor %j finds overwritten pages, says where, and ends with 1',
  async (flags) => {
    await aFilledStore()
    const before = await run('doctor', ...flags)
    expect(before.out).toMatch(/ok +integrity +no damage in \d+ tables/)
    damagePages(20)
    const { code, out } = await run('doctor', ...flags)
    expect(code).toBe(1)
    expect(out).toMatch(/problem +integrity +damaged: .+/)
    expect(out).toContain('restore a backup')
  },
)

test('outhook doctor finds an index that disagrees with its table; --quick leaves that out, and says so', async () => {
  await aFilledStore()
  disagree('events_topic', 'update events set topic = topic + 1000 where rowid % 7 = 0')
  const quick = await run('doctor', '--quick')
  expect([quick.code, quick.out]).toEqual([
    0,
    expect.stringMatching(/ok +integrity +no damage in \d+ tables/),
  ])
  expect(quick.out.replace(/\s+/g, ' ')).toContain('that indexes agree with their tables was left out')
  const whole = await run('doctor')
  expect(whole.code).toBe(1)
  expect(whole.out).toMatch(/problem +integrity +damaged: .+/)
  expect(whole.out.replace(/\s+/g, ' ')).toContain('missing from index events_topic')
  const help = (await run('doctor', '--help')).out.replace(/\s+/g, ' ')
  expect(help).toContain('--quick leave out whether indexes agree with their tables')
})

test('the check tells how far it is, table by table', async () => {
  await aFilledStore()
  const database = openDatabase(path, { readOnly: true })
  const seen: { readonly table: string; readonly done: number; readonly of: number }[] = []
  const { tables } = checkIntegrity(database, { quick: true, onProgress: (progress) => seen.push(progress) })
  database.close()
  expect(seen.map(({ done }) => done)).toEqual(Array.from({ length: tables }, (_, done) => done))
  expect(seen.map(({ table }) => table)).toEqual(
    expect.arrayContaining(['sqlite_schema', 'events', 'live_deliveries']),
  )
})

test('a start after a crash checks first and says so; one after an orderly end does not', async () => {
  await aFilledStore()
  await (await open()).close()
  expect(lines).toEqual([])
  leaveAsAfterCrash()
  await (await open()).close()
  expect(lines).toEqual([
    expect.stringMatching(
      /the last process did not close .*hooks\.db, or found damage: checking it, \d+ MiB/,
    ),
    expect.stringContaining('is whole'),
  ])
})

test('a start after a crash on a damaged file is refused, with the words and the exit code of damage', async () => {
  await aFilledStore()
  damagePages(20)
  leaveAsAfterCrash()
  await expect(open()).rejects.toMatchObject({ code: 'store_unavailable', fault: 'damaged' })
  // The mark of the check stays until the file is whole, however often it is tried.
  const { code, err } = await run('serve', '--port', '0')
  expect(code).toBe(6)
  expect(err).toContain('is damaged')
  expect(err).toContain('outhook doctor')
})

test('damage that a running store meets: from then on every write is refused as damage, and one line says so', async () => {
  await aFilledStore()
  const store = await open()
  onTestFinished(() => store.close())
  await store.ping()
  damagePages(1)
  const isDamage = { code: 'store_unavailable', fault: 'damaged' }
  // What is read for the first time comes from the file.
  await expect(store.counts()).rejects.toMatchObject(isDamage)
  await expect(store.setMetaOnce('any', 'thing')).rejects.toMatchObject(isDamage)
  await expect(store.probeWrite()).rejects.toMatchObject(isDamage)
  await expect(store.ping()).rejects.toMatchObject(isDamage)
  expect(lines.filter((line) => line.includes('the database is damaged'))).toHaveLength(1)
  expect(readFileSync(path).length).toBeGreaterThan(0)
})
