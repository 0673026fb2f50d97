/**
 * The files of a database that is in use are deleted, moved or replaced: the server notices, refuses, says so, and what
 * it acknowledged can still be rescued from the files that it has open.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { Outhook } from '../../src/index.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { ask, call, until } from './api-calls.ts'
import { aDirectory, type ServerProcess, startServer } from './server-process.ts'

const run = promisify(execFile)
const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')

const remove = (path: string, ...ends: readonly string[]) => {
  for (const end of ends) rmSync(`${path}${end}`)
}
const damages: readonly (readonly [string, (path: string) => void])[] = [
  ['deleted', (path) => remove(path, '')],
  ['deleted with everything beside it', (path) => rmSync(dirname(path), { recursive: true })],
  [
    'gone with its directory, which has another name',
    (path) => renameSync(dirname(path), `${dirname(path)}-2`),
  ],
  [
    'replaced by another file',
    (path) => {
      copyFileSync(path, `${path}.other`)
      renameSync(`${path}.other`, path)
    },
  ],
  ['without its log', (path) => remove(path, '-wal')],
  ['without its index of the log', (path) => remove(path, '-shm')],
]

async function aServerWithEvents(): Promise<{ server: ServerProcess; path: string; accepted: Set<string> }> {
  const directory = join(aDirectory(), 'data')
  mkdirSync(directory)
  const path = join(directory, 'hooks.db')
  const server = await startServer({ database: path })
  const accepted = new Set<string>()
  for (let no = 0; no < 20; no++) accepted.add((await publish(server.url)).json.event_id)
  return { server, path, accepted }
}

const publish = (url: string) =>
  call(url, '/v1/events', { body: { topic: 'a.b', payload: { any: 'thing' } } })

/** What is still acknowledged until it is noticed is to be rescued too. */
async function publishUntilRefused(url: string, accepted: Set<string>) {
  for (;;) {
    const answer = await publish(url)
    if (answer.status !== 202) return answer
    accepted.add(answer.json.event_id)
  }
}

async function missingIn(copy: string, accepted: ReadonlySet<string>): Promise<readonly string[]> {
  const store = await openSqliteStore({ path: copy, clock: createSystemClock(), inProcess: true })
  const missing: string[] = []
  for (const id of accepted) if ((await store.getEvent(defaultTenantId, id)) === null) missing.push(id)
  await store.close()
  return missing
}

test.each(damages)(
  'a database that is %s: 503, not ready, one loud line, and outhook backup rescues all',
  async (_, damage) => {
    const { server, path, accepted } = await aServerWithEvents()
    damage(path)
    const refusal = await publishUntilRefused(server.url, accepted)
    expect(refusal.status).toBe(503)
    expect(refusal.json.detail).toContain('the database file was deleted, moved or replaced')
    expect((await call(server.url, '/readyz')).status).toBe(503)
    expect((await call(server.url, '/healthz')).status).toBe(200)
    const loud = server
      .output()
      .split('\n')
      .filter((line) => line.includes('publishing is refused from now on'))
    expect(loud).toHaveLength(1)
    expect(JSON.parse(loud[0] ?? '{}')).toMatchObject({ level: 'error' })
    expect(loud[0]).toContain(`outhook backup FILE --store sqlite:${path}`)

    const copy = join(aDirectory(), 'copy.db')
    await run(process.execPath, [entry, 'backup', copy, '--store', `sqlite:${path}`])
    expect(await missingIn(copy, accepted)).toEqual([])

    server.signal('SIGTERM')
    expect(await server.ended).toEqual({ code: 0, signal: null })
    const around = [dirname(path), dirname(dirname(path))].flatMap((each) =>
      existsSync(each) ? readdirSync(each) : [],
    )
    expect(around.filter((name) => /displaced|rescue/.test(name))).toEqual([])
  },
)

test('what was rescued starts in the place of what was lost, and delivers on', async () => {
  const { server, path, accepted } = await aServerWithEvents()
  remove(path, '', '-wal', '-shm')
  await publishUntilRefused(server.url, accepted)
  const copy = join(aDirectory(), 'copy.db')
  await run(process.execPath, [entry, 'backup', copy, '--store', `sqlite:${path}`])
  server.signal('SIGTERM')
  await server.ended
  copyFileSync(copy, path)
  const again = await startServer({ database: path })
  for (const id of accepted) await ask(again.url, `/v1/events/${id}`)
  expect((await publish(again.url)).status).toBe(202)
})

test('a server that is stopped before anybody rescued leaves a copy beside the path, and no new one is made', async () => {
  const { server, path, accepted } = await aServerWithEvents()
  rmSync(dirname(path), { recursive: true })
  server.signal('SIGTERM')
  expect((await server.ended).code).toBe(0)
  expect(server.output()).toContain(`was copied to ${path}.rescued`)
  expect(await missingIn(`${path}.rescued`, accepted)).toEqual([])
  const next = startServer({ database: path })
  await expect(next).rejects.toThrow('its rescued copy')
})

test('files that come back to their paths let the server go on', async () => {
  const { server, path, accepted } = await aServerWithEvents()
  renameSync(path, `${path}.elsewhere`)
  await publishUntilRefused(server.url, accepted)
  renameSync(`${path}.elsewhere`, path)
  await until('publishing works again', async () => (await publish(server.url)).status === 202)
  expect((await call(server.url, '/readyz')).status).toBe(200)
  for (const id of accepted) await ask(server.url, `/v1/events/${id}`)
})

test('a lock file that is gone is noticed too, and nothing is in danger', async () => {
  const { server, path, accepted } = await aServerWithEvents()
  remove(path, '.lock')
  expect((await publishUntilRefused(server.url, accepted)).status).toBe(503)
  expect(server.output()).toContain('Another process could take the database over')
  server.signal('SIGTERM')
  expect((await server.ended).code).toBe(0)
  expect(await missingIn(path, accepted)).toEqual([])
})

test('a link that leads to another database is noticed', async () => {
  const directory = aDirectory()
  const [link, real] = [join(directory, 'link.db'), join(directory, 'real.db')]
  symlinkSync(real, link)
  const server = await startServer({ database: link })
  rmSync(link)
  symlinkSync(join(directory, 'other.db'), link)
  expect((await publishUntilRefused(server.url, new Set())).status).toBe(503)
})

test('the library notices as the server does, and rescues when it is closed', async () => {
  const directory = aDirectory()
  const path = join(directory, 'hooks.db')
  const errors: string[] = []
  const logger = {
    debug() {},
    info() {},
    warn() {},
    error: (_: unknown, text: string) => void errors.push(text),
  }
  const hooks = await Outhook.open({ store: `sqlite:${path}`, logger })
  await hooks.publish({ topic: 'a.b', payload: 1 })
  rmSync(path)
  await until('it is noticed', () => errors.length > 0)
  await expect(hooks.publish({ topic: 'a.b', payload: 1 })).rejects.toMatchObject({
    code: 'store_unavailable',
    fault: 'moved',
  })
  await hooks.close()
  expect(errors).toHaveLength(2)
  expect(existsSync(`${path}.rescued`)).toBe(true)
})

test('a backup of a path where nothing is and nobody answers says so, and leaves nothing', async () => {
  const directory = aDirectory()
  const path = join(directory, 'a', 'b', 'hooks.db')
  const backup = run(process.execPath, [
    entry,
    'backup',
    join(directory, 'x.db'),
    '--store',
    `sqlite:${path}`,
  ])
  await expect(backup).rejects.toMatchObject({
    code: 3,
    stderr: expect.stringContaining('no process that holds it answers'),
  })
  expect(readdirSync(directory)).toEqual([])
})
