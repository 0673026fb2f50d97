/**
 * The master key is exchanged by the command as a process of its own, and by a program, on each kind of store; everything
 * that takes part is killed amid it, and what comes after goes on.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, forEachOf, until } from './api-calls.ts'
import { aNode } from './cluster-node.ts'
import { aDirectory, adminToken, spawnServer } from './server-process.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
const oldKey = 'ab'.repeat(32)
const newKey = 'cd'.repeat(32)
const strangeKey = 'ef'.repeat(32)
const withOld = { OUTHOOK_MASTER_KEY: oldKey }
const withBoth = { OUTHOOK_MASTER_KEY: newKey, OUTHOOK_MASTER_KEY_OLD: oldKey }
const withNew = { OUTHOOK_MASTER_KEY: newKey }

/** `outhook keys rotate-master`, as whoever types it has it. */
function rotateMaster(url: string, ...args: string[]) {
  const child = spawn(process.execPath, [entry, 'keys', 'rotate-master', '--url', url, ...args], {
    env: { PATH: process.env.PATH, OUTHOOK_TOKEN: adminToken, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { ended, kill: () => void child.kill('SIGKILL') }
}

describe.each([
  ['SQLite', () => join(aDirectory(), 'hooks.db'), 1],
  ['PostgreSQL', () => `${postgres.url}?schema=outhook_master_${process.pid}`, 2],
] as const)('on %s, outhook keys rotate-master', (_kind, aStore, count) => {
  test('seals everything anew, through the death of the command and of every process, and refuses wrong keys with words and an exit code', {
    timeout: 600_000,
  }, async () => {
    const store = aStore()
    const receiver = await startReceiver()
    onTestFinished(() => receiver.close())
    const nodesWith = async (env: Readonly<Record<string, string>>) => {
      const nodes = Array.from({ length: count }, (_, index) => aNode(`node ${index}`, { store, env }))
      for (const node of nodes) await node.start()
      return nodes as [(typeof nodes)[number], ...typeof nodes]
    }
    /** What a start with these keys ends with. */
    const refused = async (env: Readonly<Record<string, string>>) => {
      const server = spawnServer({ database: store, env })
      await server.ended
      return { code: (await server.ended).code, output: server.output() }
    }

    // More values than one slice has, of each kind.
    const first = await nodesWith(withOld)
    const token = 'a-token-under-the-old-key'
    const credential = await ask(first[0].url, '/v1/credentials', {
      body: { name: 'theirs', kind: 'bearer', token },
    })
    const secrets = new Map<string, string>()
    await forEachOf(Array.from({ length: 120 }).keys(), 8, async (index) => {
      const body = { url: `${receiver.url}/${index}`, credential_id: credential.id }
      const made = await ask(first[0].url, '/v1/endpoints', { body })
      secrets.set(made.id, made.secret)
    })
    const alone = await rotateMaster(first[0].url).ended
    expect(alone).toMatchObject({ code: 1, output: expect.stringContaining('OUTHOOK_MASTER_KEY_OLD') })
    for (const node of first) expect((await node.drain()).code).toBe(0)

    const second = await nodesWith(withBoth)
    const cut = rotateMaster(second[0].url)
    const isReplacing = async () => (await ask(second[0].url, '/v1/master-key')).replacing !== null
    await until('the exchange has begun', isReplacing)
    cut.kill()
    await Promise.all(second.map((node) => node.kill()))
    const half = await refused(withNew)
    expect(half.code).toBe(2)
    expect(half.output).toMatch(
      /the store is at the exchange of master key \w+ for \w+, and this process was given \w+; give \w+ as OUTHOOK_MASTER_KEY and \w+ as OUTHOOK_MASTER_KEY_OLD/,
    )

    const third = await nodesWith(withBoth)
    const done = await rotateMaster(third[0].url).ended
    expect(done).toMatchObject({
      code: 0,
      output: expect.stringContaining('Nothing is sealed under the old key any more'),
    })
    const again = await rotateMaster(third.at(-1)?.url ?? '', '--json').ended
    expect([again.code, JSON.parse(again.output)]).toEqual([
      0,
      expect.objectContaining({ replacing: null, remaining: 0 }),
    ])
    for (const node of third) expect((await node.drain()).code).toBe(0)

    const last = await nodesWith(withNew)
    for (const [id, secret] of [...secrets].slice(0, 5)) {
      const [{ id: secretId }] = (await ask(last[0].url, `/v1/endpoints/${id}/secrets`)).items
      const path = `/v1/endpoints/${id}/secrets/${secretId}/reveal`
      expect((await ask(last[0].url, path, { method: 'POST' })).secret).toBe(secret)
    }
    const [id = ''] = [...secrets.keys()]
    await ask(last[0].url, '/v1/deliveries', { body: { endpoint_id: id, payload: 1 } })
    const [request] = await receiver.waitFor(1, patienceMs)
    expect(request?.headers.authorization).toBe(`Bearer ${token}`)
    for (const node of last) await node.drain()

    const wrong = await refused({ OUTHOOK_MASTER_KEY: strangeKey })
    expect([wrong.code, wrong.output]).toEqual([2, expect.stringMatching(/master key \w+.*\w+/)])
    // On SQLite a key file would be made, which is another key; PostgreSQL has none.
    const none = await refused({})
    expect([none.code, none.output]).toEqual([2, expect.stringMatching(/OUTHOOK_MASTER_KEY/)])
  })
})

test('a program exchanges the key, is killed amid it, and the next one that is given both goes on', {
  timeout: 120_000,
}, async () => {
  const store = `sqlite:${join(aDirectory(), 'hooks.db')}`
  const url = 'https://93.184.216.34/'
  const first = await Outhook.open({ store, masterKey: oldKey })
  const { endpoint, secret } = await first.endpoints.create({ url })
  for (let index = 0; index < 150; index++) await first.endpoints.create({ url })
  await expect(first.masterKeys.rotate()).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('as the option masterKeyOld'),
  })
  await first.close()

  const index = resolve(import.meta.dirname, '../../src/index.ts')
  const program = `import { Outhook } from ${JSON.stringify(index)}
    const hooks = await Outhook.open(${JSON.stringify({ store, masterKey: newKey, masterKeyOld: oldKey })})
    console.log(JSON.stringify(await hooks.masterKeys.rotate()))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [line] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await ended
  const { fingerprint, replacing } = JSON.parse(String(line))
  expect(replacing).not.toBeNull()
  await expect(Outhook.open({ store, masterKey: newKey })).rejects.toMatchObject({
    code: 'wrong_master_key',
    message: expect.stringContaining(`at the exchange of master key ${replacing} for ${fingerprint}`),
  })
  await expect(Outhook.open({ store, masterKey: oldKey })).rejects.toMatchObject({ code: 'wrong_master_key' })

  const second = await Outhook.open({ store, masterKey: newKey, masterKeyOld: oldKey })
  const state = () => second.masterKeys.state()
  await expect.poll(async () => (await state()).replacing, { timeout: patienceMs }).toBeNull()
  expect(await state()).toMatchObject({ fingerprint, remaining: 0 })
  await second.close()

  const last = await Outhook.open({ store, masterKey: newKey })
  const [kept] = await last.endpoints.listSecrets(endpoint.id)
  expect(await last.endpoints.revealSecret(endpoint.id, kept?.id ?? '')).toMatchObject({ secret })
  await last.close()
  await expect(Outhook.open({ store, masterKey: oldKey })).rejects.toMatchObject({ code: 'wrong_master_key' })
})
