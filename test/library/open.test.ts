/** Opening: what is refused, who owns the file, and the built package. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { aDirectory, aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const isBuilt = existsSync(join(root, 'dist/index.js'))

async function open(options: OpenOptions) {
  const hooks = await Outhook.open(options)
  onTestFinished(() => hooks.close())
  return hooks
}

test.each([
  ['no store', {}],
  ['a store that nobody knows', { store: 'mongodb://x' }],
  ['an option that nobody knows', { store: 'memory:', dispach: false }],
  ['a duration that is none', { store: 'memory:', totalTimeout: 'soon' }],
  ['a range that is none', { store: 'memory:', allowNetworks: ['everything'] }],
])('open refuses %s with invalid_config', async (_, options) => {
  await expect(Outhook.open(options as never)).rejects.toMatchObject({ code: 'invalid_config' })
})

test.each([undefined, null])('open(%s) is refused with invalid_config', async (options) => {
  await expect(Outhook.open(options as never)).rejects.toMatchObject({ code: 'invalid_config' })
})

test('without allowHttp and allowNetworks an endpoint on this machine is refused', async () => {
  const hooks = await open({ store: 'memory:' })
  await expect(hooks.endpoints.create({ url: 'http://127.0.0.1:3000/' })).rejects.toMatchObject({
    code: 'url_rejected',
  })
  await expect(hooks.endpoints.create({ url: 'https://127.0.0.1/' })).rejects.toMatchObject({
    code: 'url_rejected',
  })
})

test('a second open of the same file in one process says that it is open already, since when and what to do', async () => {
  const store = `sqlite:${join(aDirectory(), 'hooks.db')}`
  await open({ store })
  const second = Outhook.open({ store })
  await expect(second).rejects.toMatchObject({ code: 'store_locked' })
  await expect(second).rejects.toThrow(
    /is open in this process already \(pid \d+ on .* since .*\): use the Outhook/,
  )
})

test('a closed file can be opened again at once', async () => {
  const store = `sqlite:${join(aDirectory(), 'hooks.db')}`
  const first = await open({ store })
  const ev = await first.publish({ topic: 'a', payload: { kept: true } })
  await first.close()
  const second = await open({ store })
  expect(Buffer.from(await second.events.payload(ev.id)).toString()).toBe('{"kept":true}')
})

test('close cuts off what is in flight at its deadline, and counts no attempt for it', async () => {
  const receiver = await aReceiver()
  const store = `sqlite:${join(aDirectory(), 'hooks.db')}`
  const options = { store, allowHttp: true, allowNetworks: ['127.0.0.0/8'], drainDeadline: 50 }
  const hooks = await open(options)
  await hooks.endpoints.create({ url: `${receiver.url}/timeout`, topics: ['*'] })
  const { id } = await hooks.publish({ topic: 'a', payload: 1 })
  await receiver.waitFor(1, patienceMs)
  const closing = performance.now()
  await hooks.close()
  // The receiver says nothing for 30 s, and the attempt's own timeout comes after 10 s.
  expect(performance.now() - closing).toBeLessThan(9000)
  const again = await open({ ...options, dispatch: false })
  expect((await again.events.get(id)).deliveries).toMatchObject([{ state: 'pending', attemptCount: 0 }])
})

test('another master key than the one the store was made with is refused', async () => {
  const store = `sqlite:${join(aDirectory(), 'hooks.db')}`
  const first = await open({ store, masterKey: 'a'.repeat(64) })
  await first.close()
  await expect(Outhook.open({ store, masterKey: 'b'.repeat(64) })).rejects.toMatchObject({
    code: 'wrong_master_key',
  })
  await open({ store, masterKey: 'a'.repeat(64) })
})

test.skipIf(process.platform === 'win32')('the key file that is made is for its owner only', async () => {
  const file = join(aDirectory(), 'hooks.db')
  await open({ store: `sqlite:${file}` })
  expect(statSync(`${file}.key`).mode & 0o777).toBe(0o600)
})

test('onMasterKeyCreated is told the key file when it is made, and not when it was there', async () => {
  const file = join(aDirectory(), 'hooks.db')
  const made: string[] = []
  const options = { store: `sqlite:${file}`, onMasterKeyCreated: (path: string) => made.push(path) }
  const first = await open(options)
  await first.close()
  await open(options)
  expect(made).toEqual([`${file}.key`])
})

test('S1.35 no endpoint secret, no key, rotated or not, and no admin token stands in the database file', async () => {
  const file = join(aDirectory(), 'hooks.db')
  const hooks = await open({ store: `sqlite:${file}`, allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  const { secret } = await hooks.endpoints.create({ url: 'http://127.0.0.1:9/' })
  const { key, token: first } = await hooks.keys.create({ name: 'a-key-by-name' })
  const { token: second } = await hooks.keys.rotate(key.id)
  const { token: admin } = await hooks.adminTokens.create({ role: 'admin', label: 'a' })
  await hooks.close()
  const bytes = readFileSync(file)
  expect(bytes.includes('http://127.0.0.1:9/')).toBe(true)
  expect(bytes.includes('a-key-by-name')).toBe(true)
  for (const token of [first, second, admin]) {
    const digits = token.split('_').at(-1) ?? ''
    expect([bytes.includes(digits), bytes.includes(Buffer.from(digits, 'hex'))]).toEqual([false, false])
  }
  expect(bytes.includes(secret.slice('whsec_'.length))).toBe(false)
})

test('a program that only waits for its event stays alive until it has come to its end', async () => {
  const receiver = await aReceiver()
  const script = join(aDirectory(), 'program.mjs')
  writeFileSync(
    script,
    `const { Outhook } = await import(${JSON.stringify(pathToFileURL(join(root, 'src/index.ts')).href)})
     const hooks = await Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
     const retryPolicy = { max_attempts: 2, delays: ['700ms'], jitter: 'none', retry_on: ['5xx'] }
     await hooks.endpoints.create({ url: '${receiver.url}/fail/1', topics: ['*'], retryPolicy })
     const ev = await hooks.publish({ topic: 'a', payload: 1 })
     console.log((await hooks.events.wait(ev.id)).deliveries[0].state)
     await hooks.close()`,
  )
  const { stdout, stderr } = await run(process.execPath, [script])
  expect([stdout.trim(), stderr]).toEqual(['succeeded', ''])
})

test.skipIf(!isBuilt)('require("outhook") works from the built package', async () => {
  const script =
    `const { Outhook } = require(${JSON.stringify(join(root, 'dist/index.js'))})\n` +
    `Outhook.open({ store: 'memory:' }).then((hooks) => hooks.close()).then(() => console.log('closed'))`
  const { stdout, stderr } = await run(process.execPath, ['-e', script])
  expect([stdout.trim(), stderr]).toEqual(['closed', ''])
})
