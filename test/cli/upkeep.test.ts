/** `outhook migrate` and `outhook doctor`. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import * as server from '../../src/server.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Finding } from '../../src/store-upkeep.ts'
import { noServer, runToEnd } from './run-cli.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-upkeep-'))
  path = join(directory, 'hooks.db')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const run = (...args: string[]) => runToEnd([...args, '--store', `sqlite:${path}`], { server })

describe('outhook migrate', () => {
  test('--dry-run says what would be done, and does nothing', async () => {
    const { code, out } = await run('migrate', '--dry-run')
    expect(code).toBe(0)
    expect(out).toMatch(/would be brought from schema 0 to \d+:\n {2}4 {2}initial\n {2}5 {2}tenants/)
    expect(existsSync(path)).toBe(false)
  })

  test('does it once, and says so; in JSON for programs', async () => {
    const first = await run('migrate', '--json')
    expect(first.code).toBe(0)
    const { from, to, dry_run, migrations, store } = JSON.parse(first.out)
    expect({ from, dry_run, store }).toEqual({ from: 0, dry_run: false, store: `sqlite:${path}` })
    expect(migrations[0]).toEqual({ version: 4, name: 'initial' })
    expect(migrations.at(-1).version).toBe(to)
    const again = await run('migrate')
    expect(again).toMatchObject({ code: 0, out: `sqlite:${path} has schema ${to}; there is nothing to do` })
  })

  test('a database from before the first release is refused, dry or not, and left as it was', async () => {
    const database = new DatabaseSync(path)
    database.exec('pragma journal_mode = wal')
    database.exec(`create table schema_migrations (
      version integer primary key, name text not null, applied_at integer not null, oldest_compatible integer not null
    )`)
    database.exec(`insert into schema_migrations values (1, 'initial', 0, 1), (3, 'retention', 0, 1)`)
    database.close()
    const before = readFileSync(path)
    for (const flags of [['--dry-run'], []]) {
      const { code, err } = await run('migrate', ...flags)
      expect(code).toBe(1)
      expect(err).toContain('the database has schema 3, from before the first release')
      expect(err).toContain('start with a new database')
    }
    expect(readFileSync(path)).toEqual(before)
  })

  test('a file that a server runs on is left alone', async () => {
    const store = await openSqliteStore({ path, clock: createSystemClock() })
    try {
      const { code, err } = await run('migrate')
      expect(code).toBe(1)
      expect(err).toContain(`is open in this process already (pid ${process.pid}`)
      expect((await run('migrate', '--dry-run')).code).toBe(0)
    } finally {
      await store.close()
    }
  })

  test('a schema that needs a newer Outhook is refused, dry or not', async () => {
    await run('migrate')
    const database = new DatabaseSync(path)
    database.exec(`insert into schema_migrations values (99, 'x', 0, 99)`)
    database.close()
    for (const flags of [[], ['--dry-run']]) {
      const { code, err } = await run('migrate', ...flags)
      expect(code).toBe(1)
      expect(err).toContain('run a newer Outhook')
    }
  })

  test('memory: is refused', async () => {
    for (const command of ['migrate', 'doctor']) {
      const { code, err } = await runToEnd([command, '--store', 'memory:'], { server })
      expect(code).toBe(2)
      expect(err).toContain('a memory: store lives in its process alone')
    }
  })
})

describe('outhook doctor', () => {
  const fine: Finding = { check: 'fsync', level: 'ok', found: 'on', advice: null }
  const late: Finding = { check: 'backlog', level: 'warning', found: '7\npending', advice: 'add dispatchers' }
  const bad: Finding = { check: 'clock', level: 'problem', found: 'wrong', advice: 'set it' }
  const examine = (findings: readonly Finding[], ...flags: string[]) =>
    runToEnd(['doctor', ...flags], { server: { ...noServer, examineStore: async () => findings } })

  test('prints one line for each check and what to do under it', async () => {
    const { code, out, err } = await examine([fine, late])
    expect(code).toBe(0)
    expect(err).toBe('')
    expect(out.split('\n')).toEqual([
      'ok       fsync    on',
      'warning  backlog  7 pending',
      '                  → add dispatchers',
      '',
      '0 problems, 1 warning',
    ])
  })

  test('ends with 1 when something is a problem, and says no more than it found', async () => {
    const { code, out, err } = await examine([fine, bad])
    expect(code).toBe(1)
    expect(err).toBe('')
    expect(out).toContain('1 problem, 0 warnings')
  })

  test('prints JSON for programs', async () => {
    const { code, out } = await examine(
      [fine, late, bad],
      '--json',
      '--store',
      'postgres://me:secret@db/hooks',
    )
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({
      store: 'postgres://me@db/hooks',
      problems: 1,
      warnings: 1,
      findings: [fine, late, bad],
    })
  })

  test('reads the key file beside a SQLite store', async () => {
    const config = ['--store', `sqlite:${path}`]
    await runToEnd(['keys', 'create', 'one', ...config], { server })
    const { code, out } = await runToEnd(['doctor', ...config, '--json'], { server })
    expect(code).toBe(0)
    expect(JSON.parse(out).findings).toContainEqual(
      expect.objectContaining({
        check: 'master key',
        found: expect.stringContaining('the one that was given'),
      }),
    )
  })
})

test('dev is one process that does all', async () => {
  const flags = ['--store', 'postgres://db/hooks', '--processes', '2']
  const { code, err } = await runToEnd(['dev', '--data-dir', directory, ...flags])
  expect(code).toBe(2)
  expect(err).toContain('use "outhook serve" with --role and --processes')
})
