/** A database that is gone from beside what says that it was there is never quietly made anew. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import * as server from '../../src/server.ts'
import { runToEnd, startCli } from './run-cli.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-lost-'))
  path = join(directory, 'hooks.db')
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
})

const open = (options: Partial<OpenOptions> = {}) => Outhook.open({ store: `sqlite:${path}`, ...options })
const run = (...args: string[]) => runToEnd([...args, '--store', `sqlite:${path}`], { server })
const removeDatabase = () => {
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
}

async function aUsedStore(options: Partial<OpenOptions> = {}): Promise<void> {
  const hooks = await open(options)
  await hooks.publish({ topic: 'a.b', payload: 1 })
  await hooks.close()
}

test.each([
  ['missing', removeDatabase],
  ['empty', () => truncateSync(path)],
])(
  'the library refuses a database that is %s beside its key file, and says what to do',
  async (state, lose) => {
    await aUsedStore()
    lose()
    const before = readdirSync(directory)
    const opening = open()
    await expect(opening).rejects.toMatchObject({ code: 'store_missing' })
    await expect(opening).rejects.toThrow(
      `the database ${path} is ${state}, though its key file ${path}.key is there`,
    )
    await expect(opening).rejects.toThrow('restore a backup')
    await expect(opening).rejects.toThrow('newStore: true')
    expect(readdirSync(directory), 'nothing is made').toEqual(before)
  },
)

test('newStore: true makes it anew, under the key that is there', async () => {
  await aUsedStore()
  removeDatabase()
  const hooks = await open({ newStore: true })
  expect((await hooks.events.list({})).items).toEqual([])
  await hooks.close()
  // And means nothing where the database is there.
  await aUsedStore({ newStore: true })
  const again = await open({ newStore: true })
  expect((await again.events.list({})).items).toHaveLength(1)
  await again.close()
})

test('a lock file or a log alone tells of a lost database too, where the key was given', async () => {
  const masterKey = '11'.repeat(32)
  await aUsedStore({ masterKey })
  removeDatabase()
  await expect(open({ masterKey })).rejects.toThrow(`though its lock file ${path}.lock is there`)
})

test('a new path is made without a word, and so is an empty file that somebody put there', async () => {
  await aUsedStore()
  path = join(directory, 'other.db')
  writeFileSync(path, '')
  await aUsedStore()
  expect(existsSync(`${path}.key`)).toBe(true)
})

test('a symbolic link to a database that is gone is refused too', async () => {
  const target = join(directory, 'elsewhere.db')
  symlinkSync(target, path)
  await aUsedStore()
  rmSync(target)
  await expect(open()).rejects.toMatchObject({ code: 'store_missing' })
})

test.each(['serve', 'dev', 'migrate'])(
  'outhook %s refuses with exit code 2 and names --new-store',
  async (name) => {
    await aUsedStore()
    removeDatabase()
    const network = name === 'migrate' ? [] : ['--port', '0', '--data-dir', directory]
    const { code, err } = await run(name, ...network)
    expect(code).toBe(2)
    expect(err).toContain(`the database ${path} is missing, though its key file ${path}.key is there`)
    expect(err).toContain('--new-store')
    expect(existsSync(path)).toBe(false)
  },
)

test('outhook serve --new-store starts on a new database', async () => {
  await aUsedStore()
  truncateSync(path)
  const args = ['serve', '--store', `sqlite:${path}`, '--port', '0', '--new-store', '--log-level', 'silent']
  const cli = startCli(args, { server, env: { OUTHOOK_ADMIN_TOKEN: 'a-long-enough-token' } })
  while (statSync(path).size === 0 || !existsSync(`${path}.owner`)) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  cli.signal()
  expect(await cli.exitCode).toBe(0)
})

test('outhook doctor calls it a problem', async () => {
  await aUsedStore()
  removeDatabase()
  const { code, out } = await run('doctor')
  expect(code).toBe(1)
  expect(out).toContain(`problem  file  ${path} is missing, though its key file ${path}.key is there`)
})
