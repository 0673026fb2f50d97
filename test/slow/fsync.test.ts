/**
 * An event is on the disk before its publisher hears 202. `kill -9` cannot show that: what a process wrote survives
 * it without any sync. So the system calls are counted, with strace, where it is there.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { ask, call } from './api-calls.ts'
import { aDirectory, startServer } from './server-process.ts'
import { parseStrace, type SystemCall } from './strace-log.ts'

const root = resolve(import.meta.dirname, '../..')
const publishes = 40

/** Null where the test can run. */
function findObstacle(): string | null {
  if (process.platform !== 'linux') return 'strace is a tool of Linux'
  if (spawnSync('strace', ['--version']).status !== 0)
    return 'strace is not installed (apt-get install strace)'
  const traced = spawnSync('strace', ['-f', '-y', '-D', '-o', '/dev/null', 'true'], { encoding: 'utf8' })
  return traced.status === 0 ? null : `strace may not trace here: ${traced.stderr.trim()}`
}

const obstacle = findObstacle()
if (obstacle !== null) process.stdout.write(`fsync: not counted, ${obstacle}\n`)

test.skipIf(obstacle !== null)(
  'each acknowledged event was written and synced before its 202',
  {
    timeout: 300_000,
  },
  async () => {
    const tally = tallyAcknowledgements(await tracePublishes(aDirectory()))
    print(tally)
    expect(tally.acknowledged).toBe(publishes)
    expect(tally.syncs).toBeGreaterThanOrEqual(publishes)
    expect(tally.unsynced).toBe(0)
  },
)

test.skipIf(obstacle !== null)(
  'a store that does not sync would be noticed',
  { timeout: 300_000 },
  async () => {
    const directory = aDirectory()
    const tally = tallyAcknowledgements(await tracePublishes(directory, copyWithoutSync(directory)))
    print(tally)
    expect(tally.acknowledged).toBe(publishes)
    expect(tally.unsynced).toBe(publishes)
  },
)

/** Publishes one event after the other and returns the system calls since the first. */
async function tracePublishes(directory: string, entry?: string): Promise<readonly SystemCall[]> {
  const log = join(directory, 'strace.log')
  const calls = 'trace=fsync,fdatasync,pwrite64,write,writev,sendmsg,sendto'
  const server = await startServer({
    database: join(directory, 'fsync.db'),
    // -D: the server stays this process's child; strace is the one that stands apart.
    launcher: ['strace', '-D', '-f', '-y', '-s', '24', '-e', calls, '-o', log],
    ...(entry !== undefined && { entry }),
  })
  const { key: token } = await ask(server.url, '/v1/keys', { body: { name: 'publisher' } })
  for (let no = 0; no < publishes; no++) {
    const { status } = await call(server.url, '/v1/events', {
      token,
      body: `{"topic":"a.b","payload":{"no":${no}}}`,
    })
    expect(status).toBe(202)
  }
  server.signal('SIGTERM')
  await server.ended
  const all = parseStrace(readFileSync(log, 'utf8'))
  return all.slice(all.findIndex(isCreated) + 1)
}

interface Tally {
  readonly acknowledged: number
  /** Syncs of the write-ahead log. */
  readonly syncs: number
  /** 202s that went out without a write to the log and then a sync of it since the 202 before. */
  readonly unsynced: number
}

function tallyAcknowledgements(calls: readonly SystemCall[]): Tally {
  let acknowledged = 0
  let syncs = 0
  let unsynced = 0
  let log: 'quiet' | 'written' | 'synced' = 'quiet'
  for (const systemCall of calls) {
    if (isOfLog(systemCall) && systemCall.name === 'pwrite64') log = 'written'
    if (isOfLog(systemCall) && isSync(systemCall)) {
      syncs++
      if (log === 'written') log = 'synced'
    }
    if (!isAccepted(systemCall)) continue
    acknowledged++
    if (log !== 'synced') unsynced++
    log = 'quiet'
  }
  return { acknowledged, syncs, unsynced }
}

function isSync({ name, result }: SystemCall): boolean {
  return (name === 'fsync' || name === 'fdatasync') && result === '0'
}

function isOfLog({ args }: SystemCall): boolean {
  return args.includes('fsync.db-wal>')
}

function isAccepted({ args }: SystemCall): boolean {
  return args.includes('HTTP/1.1 202')
}

function isCreated({ args }: SystemCall): boolean {
  return args.includes('HTTP/1.1 201')
}

/** The product, but for the one setting. */
function copyWithoutSync(directory: string): string {
  const copy = join(directory, 'copy')
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const file = join(copy, 'src/store/sqlite/connection/database.ts')
  const source = readFileSync(file, 'utf8')
  const broken = source.replace(`['synchronous', 'full', 2]`, `['synchronous', 'off', 0]`)
  if (broken === source) throw new Error('the setting is no longer where this test looks for it')
  writeFileSync(file, broken)
  return join(copy, 'src/cli/main.ts')
}

function print({ acknowledged, syncs, unsynced }: Tally): void {
  process.stdout.write(
    `fsync: ${acknowledged} acknowledged, ${syncs} syncs of the log, ${unsynced} unsynced\n`,
  )
}
