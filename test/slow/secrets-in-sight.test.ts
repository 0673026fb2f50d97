/** What others on the same machine can see of a server's secrets. */
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { aDirectory, adminToken, spawnServer, startServer } from './server-process.ts'

describe.skipIf(process.platform !== 'linux')('in the list of processes', () => {
  test.each([
    ['one process', []],
    ['a group of processes', ['--processes', '2']],
  ])('%s shows no password of its store and no key', async (_name, flags) => {
    // Nobody answers there: the server waits for its database, and shows its command line meanwhile.
    const database = 'postgres://hooks:pa55word@127.0.0.1:1/hooks'
    const server = spawnServer({ database, flags: ['--master-key', 'ab'.repeat(32), ...flags] })
    const shown = () => readFileSync(`/proc/${server.pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
    await expect.poll(shown).toContain('postgres://hooks:***@127.0.0.1:1/hooks')
    expect(shown()).not.toMatch(/pa55word|abab/)
    server.signal('SIGKILL')
    await server.ended
  })
})

describe.skipIf(process.platform === 'win32')('a key file that others can read', () => {
  test('is warned of at every start, with what to do, until it is mended', async () => {
    const database = join(aDirectory(), 'hooks.db')
    const start = async () => {
      const server = await startServer({ database })
      server.signal('SIGTERM')
      await server.ended
      return server.output()
    }
    const warning = `run \\"chmod 600 ${database}.key\\"`
    expect(await start()).not.toContain(warning)
    expect(statSync(`${database}.key`).mode & 0o777).toBe(0o600)
    chmodSync(`${database}.key`, 0o644)
    expect(await start()).toContain(warning)
    chmodSync(`${database}.key`, 0o640)
    expect(await start()).toContain('mode 640')
    chmodSync(`${database}.key`, 0o600)
    expect(await start()).not.toContain(warning)
  })
})

test('every answer says nosniff and no-store, also where no route or no HTTP was found', async () => {
  const { url } = await startServer({ database: join(aDirectory(), 'hooks.db') })
  const authorization = `Bearer ${adminToken}`
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)
  const answers = await Promise.all([
    ask('/v1/whoami'),
    ask('/v1/keys', { headers: { authorization } }),
    ask('/v1/nowhere'),
    ask('/%'),
    ask('/healthz'),
    ask('/metrics'),
    ask('/openapi.json'),
    ask('/v1/events', { method: 'POST', headers: { authorization }, body: '{"topic":"a","payload":1}' }),
    ask('/v1/events', { method: 'POST', headers: { authorization }, body: '{' }),
    ask('/v1/events', { method: 'PUT', headers: { authorization } }),
  ])
  for (const { url: asked, status, headers } of answers) {
    const place = `${status} ${asked}`
    expect(headers.get('x-content-type-options'), place).toBe('nosniff')
    // The document is the same for everybody, and whoever has it asks whether it still is.
    const isShared = asked.endsWith('/openapi.json')
    expect(headers.get('cache-control'), place).toBe(isShared ? 'no-cache' : 'no-store')
  }
  const page = await ask('/docs')
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
})
