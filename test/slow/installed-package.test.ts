/** The package as its users get it: packed, beside the packages that are installed with it and no others. */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, startServer } from './server-process.ts'

const root = resolve(import.meta.dirname, '../..')
const { runNpm } = await import(pathToFileURL(join(root, 'scripts', 'toolchain.mjs')).href)
const run = promisify(execFile)
const diskBlockBytes = 4096

let project: string
let own: string

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'outhook-installed-'))
  own = join(project, 'node_modules', 'outhook')
  mkdirSync(join(project, 'node_modules'))
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  for (const [path, { dev }] of Object.entries<{ dev?: boolean }>(packages)) {
    if (path === '' || dev === true) continue
    cpSync(join(root, path), join(project, path), { recursive: true })
  }
  const packed = await runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
    capture: true,
  })
  expect(packed.code, packed.output).toBe(0)
  const [tarball = ''] = readdirSync(project).filter((name) => name.endsWith('.tgz'))
  await run('tar', ['-xzf', join(project, tarball), '-C', project])
  rmSync(join(project, tarball))
  renameSync(join(project, 'package'), own)
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

test('it and what it brings take at most 20 MB, in whole blocks of the disk', () => {
  const blocks = filesOf(join(project, 'node_modules')).map((file) =>
    Math.ceil(statSync(file).size / diskBlockBytes),
  )
  const bytes = blocks.reduce((sum, count) => sum + count, 0) * diskBlockBytes
  expect(bytes).toBeGreaterThan(1_000_000)
  expect(bytes).toBeLessThanOrEqual(20_000_000)
})

test('the server starts from it, describes itself, validates and takes an event', async () => {
  const database = join(project, 'server.db')
  const server = await startServer({ database, entry: join(own, 'bin', 'outhook.mjs') })
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const response = await fetch(`${server.url}${path}`, { headers, ...init })
    return { status: response.status, text: await response.text() }
  }
  const document = JSON.parse((await call('/openapi.json')).text)
  expect(Object.keys(document.paths)).toContain('/v1/events')
  for (const path of [
    '/docs',
    '/docs/static/swagger-ui-bundle.js',
    '/docs/static/start.js',
    '/dashboard/',
    '/metrics',
  ]) {
    const { status, text } = await call(path)
    expect(status, path).toBe(200)
    expect(text.length, path).toBeGreaterThan(300)
  }
  for (const [, asset = ''] of (await call('/dashboard/')).text.matchAll(/"\.\/(assets\/[^"]+)"/g))
    expect((await call(`/dashboard/${asset}`)).status, asset).toBe(200)
  expect((await call('/v1/endpoints', { method: 'POST', body: '{"url":1}' })).status).toBe(400)
  const body = JSON.stringify({ topic: 'installed', payload: { a: 1 } })
  const { status, text } = await call('/v1/events', { method: 'POST', body })
  expect(status).toBe(202)
  expect((await call(`/v1/events/${JSON.parse(text).id}`)).status).toBe(200)
})

test('README’s library block works as pasted in an empty folder, also a second time', async () => {
  const folder = join(project, 'empty')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{}')
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, file = '', code = ''] = /Save this as `([^`]+)`[^\n]*\n\n```ts\n([\s\S]*?)```/.exec(readme) ?? []
  writeFileSync(join(folder, file), code)
  for (let times = 0; times < 2; times++) {
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^orders\.created 200 success\n/)
    expect(stdout).toContain("state: 'succeeded'")
  }
})

describe('each entry', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.keys(exports)
    .filter((name) => name !== './package.json')
    .map((name) => name.replace(/^\./, 'outhook'))

  /** What a program that imports this loads, as names of files in node_modules. */
  async function filesLoadedBy(specifier: string): Promise<string[]> {
    const program = `import { registerHooks } from 'node:module'
      registerHooks({ load(url, context, next) { process.stdout.write(url + '\\n'); return next(url, context) } })
      await import(process.argv[1])`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program, specifier], {
      cwd: project,
    })
    return stdout.split('\n').flatMap((url) => url.split('/node_modules/').slice(1, 2))
  }

  test.each(entries)(
    '%s can be imported, and loads nothing that only the server needs',
    async (specifier) => {
      const loaded = await filesLoadedBy(specifier)
      expect(loaded.length).toBeGreaterThan(0)
      const ofServer =
        /^(outhook\/dist\/(bundled|api|cli|client|observability\/(?!tracing\.))|(pino|pg|commander)\/)/
      const own = `${specifier.replace('/', '/dist/')}/`
      expect(loaded.filter((file) => ofServer.test(file) && !file.startsWith(own))).toEqual([])
    },
  )

  test.each(entries)('%s brings every declaration that its types name', (specifier) => {
    const entry = exports[specifier.replace('outhook', '.')].types
    const seen = new Set<string>()
    const missing: string[] = []
    const visit = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
        /(?:from|import)\s*\(?\s*'(\.[^']+)'/g,
      )) {
        const declaration = join(file, '..', target.replace(/\.(ts|js)$/, '.d.ts'))
        if (statSync(declaration, { throwIfNoEntry: false })) visit(declaration)
        else missing.push(`${file} names ${target}`)
      }
    }
    visit(join(own, entry))
    expect(missing).toEqual([])
    const packages = [...seen].flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'((?!node:)[^.'][^']*)'/g)].map(
        ([, name]) => name,
      ),
    )
    const there = (name = '') => existsSync(join(project, 'node_modules', name, 'package.json'))
    for (const name of packages) expect([name, there(name)]).toEqual([name, true])
  })
})
