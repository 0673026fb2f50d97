import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { showCopyProgress } from '../../src/cli/copy-progress.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import type { CopyProgress, MigrateStoreReport, MigrateStoreRequest } from '../../src/migrate-store.ts'
import { migrateStore } from '../../src/migrate-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { noServer, runToEnd } from './run-cli.ts'

const from = 'sqlite:/data/hooks.db'
const to = 'postgres://shop:secret@db/hooks'
const agreeing: MigrateStoreReport = {
  isNew: true,
  written: 1200,
  agree: true,
  keyFile: '/data/hooks.db.key',
  counts: [
    { table: 'events', state: 'fanned_out', source: 1000, target: 1000 },
    { table: 'attempts', state: null, source: 200, target: 200 },
  ],
}

function aProgress(totalRows: number): CopyProgress {
  return { table: 'events', rows: totalRows, ofRows: 1000, totalRows, ofTotalRows: 1200, written: totalRows }
}

/** The command on a copy that ends like this. */
async function migrate(report: MigrateStoreReport, ...flags: readonly string[]) {
  const requests: MigrateStoreRequest[] = []
  const server = {
    ...noServer,
    async migrateStore(request: MigrateStoreRequest, onProgress: (progress: CopyProgress) => void) {
      requests.push(request)
      onProgress(aProgress(600))
      onProgress(aProgress(1200))
      return report
    },
  }
  const result = await runToEnd(['migrate-store', '--from', from, '--to', to, ...flags], { server })
  return { ...result, requests }
}

describe('migrate-store', () => {
  test('compares table by table, says that both agree and what to do next, and no password', async () => {
    const { code, out, err, requests } = await migrate(agreeing)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const lines = out.split('\n')
    expect(lines[0]).toMatch(/^events 1200 of 1000, all 1200 of 1200 rows, \d+ rows\/s$/)
    expect(lines.slice(1, 4)).toEqual([
      'table     state       source  target',
      'events    fanned_out  1000    1000',
      'attempts  -           200     200',
    ])
    expect(lines[4]).toMatch(/^wrote 1200 rows in [\d.]+ s \(\d+ rows\/s\)$/)
    expect(lines[5]).toContain('agree; start the server with --store postgres://shop@db/hooks')
    expect(lines[5]).toContain('OUTHOOK_MASTER_KEY set to what is in /data/hooks.db.key')
    expect(out).not.toContain('secret')
    expect(requests).toMatchObject([
      { from: { kind: 'sqlite', path: '/data/hooks.db' }, to: { schema: 'outhook' }, masterKey: null },
    ])
  })

  test('with --json prints one object and no progress', async () => {
    const { code, out } = await migrate(agreeing, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      agree: true,
      finished_before: false,
      written: 1200,
      seconds: expect.any(Number),
      counts: agreeing.counts,
      key_file: '/data/hooks.db.key',
    })
  })

  test('that finds a difference names it and ends with 1', async () => {
    const { code, out, err } = await migrate({
      ...agreeing,
      agree: false,
      counts: [{ table: 'deliveries', state: 'succeeded', source: 5, target: 4 }],
    })
    expect(code).toBe(1)
    expect(out).not.toContain('agree')
    expect(err).toContain('differ: deliveries (succeeded) 5 in the source and 4 in the target')
  })

  test('that was finished before says so and does nothing', async () => {
    const { code, out } = await migrate({ ...agreeing, isNew: false, written: 0, counts: [] })
    expect(code).toBe(0)
    expect(out).toContain('this copy was finished before; nothing was done')
  })

  test('hands on the master key, to be compared', async () => {
    const { requests } = await migrate(agreeing, '--master-key', 'ab'.repeat(32))
    expect(requests).toMatchObject([{ masterKey: 'ab'.repeat(32) }])
  })

  test.each([
    ['a location that is none', ['--from', 'hooks.db', '--to', to], '--from is no store; use "sqlite:PATH"'],
    ['no target', ['--from', from], "required option '--to <location>' not specified"],
  ])('refuses %s with 2', async (_, args, message) => {
    const { code, err } = await runToEnd(['migrate-store', ...args], { server: noServer })
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  test.each([
    [to, from],
    [from, 'sqlite:/data/other.db'],
    [to, 'postgres://db/other'],
    ['memory:', to],
  ])('refuses to copy from %s to %s, and says what does', async (source, target) => {
    const server = { ...noServer, migrateStore }
    const { code, err } = await runToEnd(['migrate-store', '--from', source, '--to', target], { server })
    expect(code).toBe(2)
    expect(err).toContain(
      'copies from sqlite:PATH to postgres://…; between two SQLite files use "outhook backup"',
    )
  })

  test('refuses another master key than the source’s before it looks for the target', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'outhook-migrate-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'hooks.db')
    const store = await openSqliteStore({ path, clock: createSystemClock() })
    const box = createSecretBox(new Uint8Array(32).fill(1), (size) => new Uint8Array(size))
    await store.setMetaOnce('master_key_check', box.checkValue)
    await store.close()
    const { code, err } = await runToEnd(
      [
        'migrate-store',
        '--from',
        `sqlite:${path}`,
        '--to',
        'postgres://127.0.0.1:1/none',
        '--master-key',
        '02'.repeat(32),
      ],
      { server: { ...noServer, migrateStore } },
    )
    expect(code).toBe(2)
    expect(err).toContain(`sealed under master key ${box.fingerprint}, and this process was given`)
  })
})

describe('the progress of a copy', () => {
  function shown(isTerminal: boolean) {
    const lines: string[] = []
    const bytes: string[] = []
    const clock = createManualClock()
    const progress = showCopyProgress(
      {
        isTerminal,
        print: (line) => lines.push(line),
        printBytes: (part) => bytes.push(new TextDecoder().decode(part)),
      },
      clock,
    )
    return { lines, bytes, clock, progress }
  }

  test('is a bar that stays on its line of a terminal', async () => {
    const { lines, bytes, clock, progress } = shown(true)
    progress.show(aProgress(10))
    await clock.advance(100)
    progress.show(aProgress(600))
    progress.show(aProgress(601))
    progress.end()
    expect(bytes).toEqual([
      '\r\u001b[2K[############------------] 50% events 600 of 1000, all 600 of 1200 rows, 6000 rows/s',
    ])
    expect(lines).toEqual([''])
  })

  test('is a line every five seconds elsewhere, and one at the end', async () => {
    const { lines, bytes, clock, progress } = shown(false)
    for (const rows of [100, 200, 300]) {
      await clock.advance(2500)
      progress.show(aProgress(rows))
    }
    progress.show(aProgress(1200))
    progress.end()
    expect(bytes).toEqual([])
    expect(lines).toEqual([
      'events 200 of 1000, all 200 of 1200 rows, 40 rows/s',
      'events 1200 of 1000, all 1200 of 1200 rows, 160 rows/s',
    ])
  })
})
