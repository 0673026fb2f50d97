/**
 * Every `ts` and `sh` block of README.md and docs/ is run as it stands, but for the addresses: the port of the
 * server (8080) and the receiver (127.0.0.1:3000 or :8081) become those of this test. A block that cannot run says why in a
 * comment above it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { type DocBlock, readDocBlocks, repository } from './doc-blocks.ts'

const run = promisify(execFile)
const blocks = readDocBlocks()
const isRun = (block: DocBlock) => block.run === null
const admin = 'hkadm_documentation'

const folder = mkdtempSync(join(tmpdir(), 'outhook-docs-'))
let receiver: Receiver
let server: ChildProcess
let port = 0
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  installPackage()
  receiver = await startReceiver()
  port = await freePort()
  server = startServer()
  environment = {
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    HOME: folder,
    ADMIN: admin,
    OUTHOOK_URL: `http://localhost:${port}`,
    OUTHOOK_TOKEN: admin,
    PARTNER_TOKEN: 'partner-token',
  }
  await answered(`http://localhost:${port}/readyz`)
  const key = await run(join(folder, 'bin', 'outhook'), ['keys', 'create', 'docs', '--json'], {
    env: environment,
  })
  environment.KEY = JSON.parse(key.stdout).key
  environment.ID = await publishOne()
})

afterAll(async () => {
  server.kill('SIGTERM')
  if (server.exitCode === null) await once(server, 'exit')
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

test('G10 there are blocks to run, and each that is not run says why', () => {
  expect(blocks.filter(isRun).filter((block) => block.language === 'ts').length).toBeGreaterThanOrEqual(5)
  expect(blocks.filter(isRun).filter((block) => block.language === 'sh').length).toBeGreaterThanOrEqual(8)
  for (const block of blocks)
    if (block.run?.startsWith('no')) expect(block.run, block.place).toMatch(/^no, .{10}/)
})

describe('TypeScript blocks run', () => {
  for (const block of blocks.filter((candidate) => candidate.language === 'ts' && isRun(candidate))) {
    test(block.place, async () => {
      const file = writeBlock(block)
      const { stderr } = await run(process.execPath, [file], { cwd: folder, env: withoutOwnKey(process.env) })
      expect(stderr.split('\n').filter((line) => /warning|error/i.test(line))).toEqual([])
    })
  }

  test('and their types are right', { timeout: 300_000 }, async () => {
    const files = blocks.filter((block) => block.language === 'ts').map(writeBlock)
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2023',
          lib: ['es2024', 'esnext.disposable'],
          types: ['node'],
          typeRoots: [join(repository, 'node_modules/@types')],
          strict: true,
          noEmit: true,
          skipLibCheck: true,
        },
        files,
      }),
    )
    const tsc = join(repository, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout)
    })
  })
})

describe.skipIf(process.platform === 'win32')('shell blocks run (they are written for a POSIX shell)', () => {
  for (const block of blocks.filter((candidate) => candidate.language === 'sh' && isRun(candidate))) {
    test(block.place, async () => {
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', adapt(block.code)], {
        cwd: folder,
        env: environment,
      })
      expect(stdout).not.toBe('')
      // No answer is a problem; one event of a batch may be, where the page shows that.
      expect(stdout).not.toMatch(/^\{"type":"[^"]*\/docs\/errors\//m)
    })
  }
})

test('the receiver of the guide takes what Outhook signs and refuses what others send', async () => {
  const block = blocks.find((candidate) => candidate.run === 'as a receiver') as DocBlock
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const guidePort = await freePort()
  const file = writeBlock({ ...block, code: block.code.replace('listen(3000)', `listen(${guidePort})`) })
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, WEBHOOK_SECRET: secret },
    cwd: folder,
  })
  try {
    const url = `http://127.0.0.1:${guidePort}/hook`
    await answered(url)
    const forged = await fetch(url, { method: 'POST', body: '{}' })
    expect(forged.status).toBe(401)
    const state = await deliverTo(url, secret)
    expect(state).toBe('succeeded')
  } finally {
    child.kill()
    await once(child, 'exit')
  }
})

async function deliverTo(url: string, secret: string): Promise<string | undefined> {
  const { Outhook } = await import('../../src/index.ts')
  await using hooks = await Outhook.open({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
  })
  await hooks.endpoints.create({ url, secret, topics: ['*'] })
  const event = await hooks.publish({ topic: 'guide.test', payload: { id: 1 } })
  return (await hooks.events.wait(event.id)).deliveries[0]?.state
}

/** A program's folder, in which `outhook` is installed as the package of this repository. */
function installPackage(): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(repository, join(modules, 'outhook'), 'junction')
  for (const name of ['pino']) {
    symlinkSync(join(repository, 'node_modules', name), join(modules, name), 'junction')
  }
  const command = join(folder, 'bin', 'outhook')
  writeFileSync(
    command,
    `#!/bin/sh\nexec "${process.execPath}" "${join(repository, 'bin/outhook.mjs')}" "$@"\n`,
  )
  chmodSync(command, 0o755)
}

function startServer(): ChildProcess {
  const args = ['serve', '--port', String(port), '--allow-http', '--allow-network', '127.0.0.0/8']
  return spawn(process.execPath, [join(repository, 'bin/outhook.mjs'), ...args, '--log-level', 'warn'], {
    cwd: folder,
    env: { ...withoutOwnKey(process.env), OUTHOOK_ADMIN_TOKEN: admin },
    stdio: 'inherit',
  })
}

function writeBlock(block: DocBlock): string {
  const file = join(folder, `${block.place.replaceAll(/[^\w]/g, '-')}.ts`)
  writeFileSync(file, adapt(block.code))
  return file
}

function adapt(code: string): string {
  return code
    .replaceAll('localhost:8080', `localhost:${port}`)
    .replaceAll(/http:\/\/127\.0\.0\.1:(3000|8081)/g, receiver.url)
    .replaceAll('sqlite:hooks.db', `sqlite:${join(folder, 'hooks.db').replaceAll('\\', '/')}`)
}

function withoutOwnKey(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OUTHOOK_')))
}

async function publishOne(): Promise<string> {
  const response = await fetch(`http://localhost:${port}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment.KEY}` },
    body: '{"topic":"docs.start","payload":{}}',
  })
  return ((await response.json()) as { event_id: string }).event_id
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: free } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return free
}

/** Asks until something answers: the process says nothing else of being ready. */
async function answered(url: string): Promise<void> {
  const until = performance.now() + 20_000
  while (performance.now() < until) {
    try {
      await fetch(url)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`nothing answers at ${url}`)
}
