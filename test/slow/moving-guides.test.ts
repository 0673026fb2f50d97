/**
 * The guides on moving from another system, command by command as they stand there, but for the address of the receiver;
 * and what its receivers then get. On both stores.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { readDocBlocks, repository } from './doc-blocks.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'outhook-moving-'))
const admin = 'hkadm_moving_guides'
const blocksOf = (page: string) =>
  readDocBlocks().filter(
    ({ run: how, place }) => how === 'as a move' && place.startsWith(`docs/guides/${page}`),
  )

let postgres: PostgresServer
beforeAll(async () => {
  const newest = testedServers().at(-1)
  if (newest === undefined) throw new Error('no server to test on')
  postgres = await newest.start()
  mkdirSync(join(folder, 'bin'))
  const command = join(folder, 'bin', 'outhook')
  writeFileSync(
    command,
    `#!/bin/sh\nexec "${process.execPath}" "${join(repository, 'bin/outhook.mjs')}" "$@"\n`,
  )
  chmodSync(command, 0o755)
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const stores: readonly (readonly [string, () => string])[] = [
  ['SQLite', () => `sqlite:${join(folder, 'hooks.db')}`],
  ['PostgreSQL', () => `${postgres.url}?schema=outhook_moving`],
]

describe.skipIf(process.platform === 'win32').each(stores)('on %s', (_, store) => {
  let receiver: Receiver
  let server: ChildProcess
  let environment: NodeJS.ProcessEnv

  beforeAll(async () => {
    receiver = await startReceiver()
    const { url, child } = await startServer(store())
    server = child
    environment = {
      PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
      HOME: folder,
      OUTHOOK_URL: url,
      OUTHOOK_TOKEN: admin,
    }
  })
  afterAll(async () => {
    server?.kill('SIGTERM')
    if (server?.exitCode === null) await once(server, 'exit')
    await receiver?.close()
  })

  const runBlocks = async (page: string): Promise<string> => {
    const printed: string[] = []
    for (const { code, place } of blocksOf(page)) {
      const adapted = code.replaceAll('http://127.0.0.1:3000', receiver.url)
      const options = { cwd: folder, env: environment }
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', adapted], options).catch((error) => {
        throw new Error(`${place}: ${error.stdout}${error.stderr}`)
      })
      printed.push(stdout)
    }
    return printed.join('\n')
  }
  const requestTo = async (path: string) => {
    const ofIt = (all: Receiver['received']) => all.filter((request) => request.path === path)
    const [request] = ofIt(await receiver.waitFor((all) => ofIt(all).length > 0, patienceMs))
    return request
  }

  test('the guide on pyfly: what is imported delivers with pyfly’s signature, headers and credential', async () => {
    const printed = await runBlocks('moving-from-pyfly.md')
    expect(printed).toContain('would be created')
    expect(printed).not.toContain('a-token-of-the-receiver')
    const orders = await requestTo('/orders')
    expect(orders?.headers).toMatchObject({
      'x-pyfly-signature': 'sha256=03010e58206f219569b7d27b0d294c2edb8e255a13bfcff8dc3f430f2d2800d7',
      'x-shop': 'berlin',
      authorization: 'Bearer a-token-of-the-receiver',
    })
    expect((await requestTo('/audit'))?.headers).not.toHaveProperty('authorization')
  })

  test('S3.2 S3.10 S3.12 the guide on dograh: each node’s method, headers and credential, once for each run', async () => {
    const printed = await runBlocks('moving-from-dograh.md')
    expect(printed).toContain('It was there already, under the same idempotency key.')
    const expected = [
      ['/calls', 'POST', { 'x-api-key': 'key-of-the-crm', 'x-source': 'dograh' }],
      ['/invoices/7', 'PUT', { authorization: 'Bearer token-of-billing' }],
      ['/legacy', 'PATCH', { authorization: `Basic ${btoa('dograh:word-of-legacy')}` }],
      ['/partner', 'DELETE', { 'x-partner': 'value-of-partner' }],
    ] as const
    for (const [path, method, headers] of expected) {
      const request = await requestTo(path)
      expect(request).toMatchObject({ method, headers })
      expect(request?.headers).toMatchObject({ 'x-dograh-workflow-run-id': '42', 'outhook-attempt': '1' })
      expect(Object.keys(request?.headers ?? {}).filter((name) => name.includes('signature'))).toEqual([])
      const body = method === 'DELETE' ? '' : '{"run_id":42,"call_disposition":"answered"}'
      expect(Buffer.from(request?.body ?? []).toString()).toBe(body)
    }
    expect(receiver.received.filter(({ path }) => path === '/calls')).toHaveLength(1)
    const { stdout } = await run('outhook', ['endpoints', 'get', 'node-1', '--tenant', 'org-7', '--json'], {
      env: environment,
    })
    expect(JSON.parse(stdout)).toMatchObject({
      timeout: '30s',
      effective_retry_policy: { policy: 'dograh', from: 'tenant' },
    })
  })

  async function startServer(location: string): Promise<{ url: string; child: ChildProcess }> {
    const open = ['--allow-http', '--allow-network', '127.0.0.0/8', '--port', '0', '--log-format', 'json']
    const entry = join(repository, 'bin/outhook.mjs')
    const child = spawn(process.execPath, [entry, 'serve', '--store', location, ...open], {
      cwd: folder,
      env: { PATH: process.env.PATH, OUTHOOK_ADMIN_TOKEN: admin, OUTHOOK_MASTER_KEY: 'ab'.repeat(32) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const url = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (chunk) => {
        text += chunk
        const [found] = /http:\/\/(?:127\.0\.0\.1|localhost):\d+/.exec(text) ?? []
        if (found !== undefined) resolve(found)
      })
      child.once('exit', () => reject(new Error(`the server ended: ${text}`)))
    })
    return { url, child }
  }
})
