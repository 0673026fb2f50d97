/** A clock that jumps by hours and months while everything is under way, on both stores; once by libfaketime. */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { aDirectory } from '../delivery/an-app.ts'
import { testedServers } from '../servers/postgres.ts'
import { sourceFlags } from '../source-flags.ts'
import { type ClockChaosCounts, runClockChaos } from './clock-chaos.ts'

const events = 60
const options = {
  allowHttp: true,
  allowNetworks: ['127.0.0.0/8'],
  breakerPause: '1s',
  breakerMaxPause: '2s',
} as const
/** On a machine that does much beside: far below the least that a jump of an hour would cost. */
const lateMs = 20_000

function expectNothing(name: string, counts: ClockChaosCounts): void {
  process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`)
  expect(counts).toMatchObject({ published: events, lost: 0, duplicates: 0, early: 0, overRate: 0 })
  expect(counts.jumps).toBeGreaterThanOrEqual(10)
  expect(counts.healthyMs).toBeLessThan(lateMs)
  expect(counts.retryLateMs).toBeLessThan(lateMs)
}

afterEach(() => vi.restoreAllMocks())

describe('while the clock jumps nothing is lost, sent twice, early or late', { timeout: 240_000 }, () => {
  test('on SQLite', async () => {
    const now = Date.now.bind(Date)
    let jumpedMs = 0
    vi.spyOn(Date, 'now').mockImplementation(() => now() + jumpedMs)
    const hooks = await Outhook.open({ ...options, store: `sqlite:${join(aDirectory(), 'hooks.db')}` })
    onTestFinished(() => hooks.close())
    const jump = (ms: number): void => {
      jumpedMs += ms
    }
    expectNothing('SQLite', await runClockChaos({ nodes: [hooks], events, jump }))
  })

  const faketime = ['x86_64', 'aarch64']
    .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path))
  test.skipIf(faketime === undefined)('on SQLite, by libfaketime', async () => {
    const directory = aDirectory()
    const offsetFile = join(directory, 'offset')
    writeFileSync(offsetFile, '+0')
    const child = join(import.meta.dirname, 'clock-chaos-child.ts')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...sourceFlags, child, `sqlite:${join(directory, 'hooks.db')}`, offsetFile, String(events)],
      {
        env: {
          ...process.env,
          LD_PRELOAD: faketime,
          FAKETIME_TIMESTAMP_FILE: offsetFile,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      },
    )
    const counts = JSON.parse(stdout) as ClockChaosCounts & { readonly furthestMs: number }
    expect(counts.furthestMs).toBeGreaterThan(99 * 86_400_000)
    expectNothing('SQLite by libfaketime', counts)
  })

  test('on PostgreSQL, whose own clock it is, with two processes', async () => {
    const newest = testedServers().at(-1)
    if (newest === undefined) throw new Error('no server to test on')
    const server = await newest.start()
    onTestFinished(() => server.stop())
    const schema = `clock_chaos_${process.pid}`
    const open = () =>
      Outhook.open({ ...options, store: `${server.url}?schema=${schema}`, masterKey: 'ab'.repeat(32) })
    const nodes = [await open(), await open()]
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    let jumpedMs = 0
    const jump = async (ms: number): Promise<void> => {
      jumpedMs += ms
      await client.query(
        `create or replace function ${schema}.server_ms() returns bigint language sql stable parallel safe as
           $$ select (extract(epoch from statement_timestamp()) * 1000)::bigint + ${jumpedMs} $$`,
      )
    }
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.close()))
      await client.query(`drop schema ${schema} cascade`)
      await client.end()
    })
    expectNothing('PostgreSQL', await runClockChaos({ nodes, events, jump }))
  })
})
