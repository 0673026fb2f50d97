/** What `outhook/sender` is made of, and how it behaves in a program of its own. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { aReceiver, inTurn } from './a-webhook.ts'

const src = resolve(import.meta.dirname, '../../src')

/** Every file and package that an entry reaches, types included. */
function importGraph(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string) => {
    if (files.has(file)) return
    files.add(file)
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const [, name = ''] of code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)'([^']+)'/g)) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name))
      else if (!name.startsWith('node:')) packages.add(name)
    }
  }
  visit(resolve(src, entry))
  return {
    files: [...files].map((file) => relative(src, file).split(sep).join('/')).sort(),
    packages: [...packages].sort(),
  }
}

test('S0.17: the import graph of outhook/sender holds no Discord module, only core, the forms of signatures and one package', () => {
  const { files, packages } = importGraph('sender/index.ts')
  expect(files).toContain('sender/webhook.ts')
  expect(
    files.filter((file) => !/^(sender|core|verify\/forms)\/|^(version|required-node)\.ts$/.test(file)),
  ).toEqual([])
  expect(packages).toEqual(['ipaddr.js'])
})

interface Chunk {
  readonly code: string
  readonly modules: Readonly<Record<string, unknown>>
}

/** Minified, with the bundler that the test runner brings along. */
async function bundleSender(options: { readonly withPackages: boolean }): Promise<Chunk> {
  const fromHere = createRequire(import.meta.url)
  const { resolve: fromRunner } = createRequire(fromHere.resolve('vitest/package.json'))
  const { build } = await import(pathToFileURL(fromRunner('vite')).href)
  const { output } = await build({
    configFile: false,
    logLevel: 'silent',
    root: resolve(src, '..'),
    ssr: { noExternal: options.withPackages || [], target: 'node' },
    build: { write: false, ssr: 'src/sender/index.ts', minify: true },
  })
  expect(output).toHaveLength(1)
  return output[0]
}

test('outhook/sender bundles to what its guide says: core and ipaddr.js, in so many kilobytes', async () => {
  const [alone, whole] = [
    await bundleSender({ withPackages: false }),
    await bundleSender({ withPackages: true }),
  ]
  const root = resolve(src, '..')
  const parts = Object.keys(whole.modules)
    .filter((file) => !file.startsWith('\0'))
    .map((file) => relative(root, file).split(/[\\/]/).slice(0, 2).join('/'))
  expect([...new Set(parts)].sort()).toEqual([
    'node_modules/ipaddr.js',
    'src/core',
    'src/sender',
    'src/verify',
    'src/version.ts',
  ])
  const guide = readFileSync(resolve(root, 'docs/guides/sender.md'), 'utf8')
  const said = [...guide.matchAll(/(\d+) kB \((\d+) kB gzipped\)/g)].flatMap(([, raw, zipped]) => [
    raw,
    zipped,
  ])
  const measured = [alone, whole].flatMap(({ code }) => [Buffer.byteLength(code), gzipSync(code).length])
  expect(said).toHaveLength(4)
  // A few per cent come and go with the versions of the packages and of the bundler.
  for (const [index, bytes] of measured.entries()) {
    expect(Number(said[index]) / (bytes / 1000), `figure ${index + 1}: ${bytes}`).toBeCloseTo(1, 1)
  }
})

/** Runs a program that has `Webhook` and the receiver's URL; resolves with what it wrote and its exit code. */
function runProgram(code: string, url: string): Promise<{ code: number | null; output: string }> {
  const program = `
    import { Webhook } from ${JSON.stringify(new URL('../../src/sender/index.ts', import.meta.url).href)}
    const url = ${JSON.stringify(url)}
    ${code}`
  const flags = ['--input-type=module', '--experimental-strip-types', '--no-warnings', '-e', program]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill())
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((done) => child.on('close', (exitCode) => done({ code: exitCode, output })))
}

test('a script lives through its retries, ends without close, and nothing is printed', async () => {
  const receiver = await aReceiver(inTurn(503, { status: 429, body: '{"retry_after":0.3}' }, 200))
  const { code, output } = await runProgram(
    `const result = await new Webhook(url, { backoff: { baseMs: 200 } }).send({ a: 1 })
     process.exitCode = result.ok && result.attempts === 3 ? 0 : 1`,
    receiver.url,
  )
  expect({ code, output }).toEqual({ code: 0, output: '' })
  // An idle connection is kept for 4 s, but not the process by it.
  expect(performance.now() - (receiver.received.at(-1)?.at ?? 0)).toBeLessThan(4000)
})

test('a script waits for a provider of proxies that has no timers of its own', async () => {
  const { code, output } = await runProgram(
    `const proxies = { get: () => new Promise(() => {}) }
     const result = await new Webhook(url, { proxies, timeoutMs: 100 }).send({ a: 1 })
     process.exitCode = result.errorCode === 'proxy_provider' ? 0 : 1`,
    'http://127.0.0.1:1/',
  )
  expect({ code, output }).toEqual({ code: 0, output: '' })
})
