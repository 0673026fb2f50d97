/**
 * S1.51: the same cases of `outhook/client` and `outhook/verify` in other runtimes: Node 22 and 26, Deno and Bun as the
 * package index has them, and a Chromium that is on this machine. What is not there is said to be missing.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectCases } from '../client/expect-cases.ts'
import type { RuntimeSetting } from '../client/runtime-entry.ts'
import { type StubServer, startStubServer } from '../client/stub-server.ts'
import { expectedVerifyCases } from '../client/verify-cases.ts'
import { browserFlags, findBrowser } from './find-browser.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'outhook-runtimes-'))
let stub: StubServer
let closedUrl: string
let code: string

beforeAll(async () => {
  stub = await startStubServer()
  const closed = await startStubServer()
  closedUrl = closed.url
  closed.close()
  const bundle = await rolldown({
    input: resolve(import.meta.dirname, '../client/runtime-entry.ts'),
    platform: 'browser',
    logLevel: 'warn',
  })
  const { output } = await bundle.generate({ format: 'esm' })
  code = output[0].code
  expect(output).toHaveLength(1)
  expect(output[0].imports).toEqual([])
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'cases.js'), code)
  const runner = "import { runAll } from './cases.js'\nawait runAll(JSON.parse(SETTING))\n"
  for (const [name, setting] of [
    ['node.js', 'process.argv[2]'],
    ['deno.js', 'Deno.args[0]'],
  ] as const) {
    writeFileSync(join(folder, name), runner.replace('SETTING', setting))
  }
})
afterAll(() => {
  stub.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

interface Results {
  readonly client?: Record<string, unknown>
  readonly verify?: unknown
  readonly failed?: string
}

/** Resolves with what is posted to it. */
async function startReport(): Promise<{ readonly url: string; readonly results: Promise<Results> }> {
  const { promise, resolve: settle } = Promise.withResolvers<Results>()
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    const text = (await buffer(request)).toString()
    response.end()
    if (text === '') return
    settle(JSON.parse(text) as Results)
    server.close()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, results: promise }
}

async function expectIn(tag: string, start: (setting: RuntimeSetting) => ChildProcess): Promise<void> {
  const report = await startReport()
  const child = start({ url: stub.url, closedUrl, tag, report: report.url })
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const early = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('exit', (status) => status !== 0 && reject(new Error(`ended with ${status}: ${errors}`)))
  })
  try {
    const results = await Promise.race([report.results, early])
    expect(results.failed).toBeUndefined()
    expectCases(results.client ?? {}, stub, tag)
    expect(results.verify).toEqual(expectedVerifyCases)
  } finally {
    early.catch(() => {})
    child.kill('SIGKILL')
  }
}

/** From the package index, into a folder of its own; null where it cannot be had or does not run here. */
async function installed(spec: string, program: string): Promise<string | null> {
  const target = mkdtempSync(join(folder, 'install-'))
  const windows = process.platform === 'win32'
  try {
    writeFileSync(join(target, 'package.json'), '{}')
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', spec]
    await run(windows ? 'npm.cmd' : 'npm', args, { cwd: target, timeout: 240_000, shell: windows })
    const file = join(target, 'node_modules', '.bin', windows ? `${program}.cmd` : program)
    await run(file, ['--version'], { timeout: 60_000, shell: windows })
    return file
  } catch {
    return null
  }
}

const node = (setting: string): string[] => [join(folder, 'node.js'), setting]
const deno = (setting: string): string[] => [
  'run',
  '--allow-net',
  '--allow-env',
  join(folder, 'deno.js'),
  setting,
]

test.for([
  { name: 'Node 22', spec: 'node@22', program: 'node', args: node },
  { name: 'Node 26', spec: 'node@26', program: 'node', args: node },
  { name: 'Deno', spec: 'deno', program: 'deno', args: deno },
  { name: 'Bun', spec: 'bun', program: 'bun', args: node },
])('in $name', { timeout: 400_000 }, async ({ name, spec, program, args }, { skip }) => {
  const file = await installed(spec, program)
  if (file === null)
    return skip(`not run: ${name} cannot be had from the package index, or does not run here`)
  await expectIn(spec.replace('@', ''), (setting) =>
    spawn(file, args(JSON.stringify(setting)), { cwd: folder }),
  )
})

test('in Chromium', { timeout: 400_000 }, async ({ skip }) => {
  const browser = findBrowser()
  if (browser === null) return skip('not run: no Chromium is on this machine')
  await expectIn('chromium', (setting) => {
    const page = `<script type="module">
      import { runAll } from '/cases.js'
      await runAll(${JSON.stringify(setting)})
    </script>`
    stub.servePage({ '/page.html': page, '/cases.js': code })
    const profile = `--user-data-dir=${mkdtempSync(join(folder, 'profile-'))}`
    return spawn(browser, [...browserFlags, profile, `${stub.url}/page.html`])
  })
})
