/** The files of the dashboard as the server sends them. What the page does with them: test/slow/dashboard.test.ts. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { buildServer } from '../../src/api/server.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

/** Of JavaScript and CSS for the first view, compressed. */
const maxBytes = 90_000

let server: TestServer
let assets: readonly string[]
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await aServer({ closeWith: (close) => void closing.push(close) })
  const { text } = await get('/dashboard/')
  assets = [...text.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => `/dashboard/${name}`)
  return async () => {
    for (const close of closing) await close()
  }
})

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  server.call('GET', path, { token: null, headers })

test('the page and its assets lie within a policy that lets nothing in from elsewhere, nothing inline and no frame', async () => {
  expect(new Set(assets.map((name) => name.replace(/^.*\./, '')))).toEqual(new Set(['css', 'js', 'svg']))
  for (const path of ['/dashboard/', ...assets]) {
    const { status, headers } = await get(path)
    expect([path, status]).toEqual([path, 200])
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
  const { text } = await get('/dashboard/')
  expect(text).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|https?:/)
})

test('assets are kept for ever, and the page is asked for again and has a tag', async () => {
  for (const path of assets) {
    expect((await get(path)).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(path).toMatch(/-[\w-]{8}\.\w+$/)
  }
  const page = await get('/dashboard/')
  expect(page.headers.get('cache-control')).toBe('no-cache')
  const again = await get('/dashboard/', { 'if-none-match': page.headers.get('etag') ?? '' })
  expect([again.status, again.text]).toEqual([304, ''])
})

test.each([
  ['/dashboard/endpoints', './'],
  ['/dashboard/endpoints?tenant=a/b', './'],
  ['/dashboard/endpoints/', '../'],
  ['/dashboard/endpoints/ep_1', '../'],
  ['/dashboard/endpoints/a%2Fb', '../'],
  ['/dashboard/endpoints/ep_1/edit', '../../'],
])('%s is the page too, and finds its assets from there', async (path, up) => {
  const there = await get(path)
  expect([there.status, there.headers.get('cache-control')]).toEqual([200, 'no-cache'])
  expect(there.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  const named = [...there.text.matchAll(/(?:src|href)="((?:\.{1,2}\/)+)(assets\/[^"]+)"/g)]
  expect(named.map(([, to]) => to)).toEqual(named.map(() => (up === './' ? './' : `./${up}`)))
  // As a browser resolves them, also behind a proxy with a prefix.
  const resolved = named.map(([, to, name]) => new URL(`${to}${name}`, `http://x/tools${path}`).pathname)
  expect(resolved).toEqual(assets.map((name) => `/tools${name}`))
  const again = await get(path, { 'if-none-match': there.headers.get('etag') ?? '' })
  expect(again.status).toBe(304)
  const packed = await compressed(path)
  expect(gunzipSync(packed).toString()).toBe(there.text)
})

test('a path that is deeper than any page is answered with 404', async () => {
  expect((await get('/dashboard/a/b/c/d/e/f/g')).status).toBe(200)
  expectProblem(await get('/dashboard/a/b/c/d/e/f/g/h'), { status: 404 })
})

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly css?: readonly string[]
  readonly imports?: readonly string[]
}

/** What the build has put together, by the file that a chunk was made of. */
function readManifest(): Readonly<Record<string, Chunk>> {
  const file = join(import.meta.dirname, '..', '..', 'dist', 'dashboard', 'manifest.json.gz')
  return JSON.parse(gunzipSync(readFileSync(file)).toString())
}

/** With all that these need, each file once. */
function filesOf(manifest: Readonly<Record<string, Chunk>>, names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const files = new Set<string>()
  const add = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    const { file, css = [], imports = [] } = manifest[name] as Chunk
    for (const one of [file, ...css]) files.add(one)
    for (const one of imports) add(one)
  }
  for (const name of names) add(name)
  return files
}

/** Beside the entry, what is shown to whoever comes first. */
const firstPages: Readonly<Record<string, readonly string[]>> = {
  'index.html': ['pages/overview/overview.tsx', 'pages/overview/charts.tsx'],
}

test('the first view takes at most 90 KB of JavaScript and CSS, compressed, with the page that it shows', async () => {
  const manifest = readManifest()
  const entries = Object.keys(manifest).filter((name) => manifest[name]?.isEntry === true)
  expect(entries).toContain('index.html')
  for (const entry of entries) {
    let bytes = 0
    for (const file of filesOf(manifest, [entry, ...(firstPages[entry] ?? [])])) {
      bytes += (await compressed(`/dashboard/${file}`)).length
    }
    expect(bytes, entry).toBeGreaterThan(5_000)
    expect(bytes, entry).toBeLessThan(maxBytes)
  }
})

async function compressed(path: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const asked = request(server.url + path, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
    expect(answer.headers['content-encoding']).toBe('gzip')
    buffer(answer).then(resolve, reject)
  })
  asked.on('error', reject).end()
  return promise
}

test('without the slash it leads to where addresses are relative to it, below any prefix', async () => {
  const { status, headers } = await fetch(`${server.url}/dashboard`, { redirect: 'manual' })
  expect([status, headers.get('location')]).toEqual([308, 'dashboard/'])
})

test.each(['missing.js', '..%2findex.html', '..%2f..%2f..%2fpackage.json', '%00', 'index.html'])(
  'a name that no asset has, %s, is answered with 404 and kept by nobody',
  async (name) => {
    const answer = await get(`/dashboard/assets/${name}`)
    expect(answer.status === 404 || answer.status === 400, String(answer.status)).toBe(true)
    expectProblem(answer, { status: answer.status })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  },
)

test.each([
  ['switched off', { dashboard: false }],
  ['on a node that only delivers', { operationsOnly: true }],
])('it is not there when it is %s', async (_why, options) => {
  const app = buildServer({} as Engine, {
    version: '0',
    clock: createSystemClock(),
    log: silentLogger,
    metrics: { ingest() {}, wrongToken() {}, request() {}, contentType: '', render: async () => '' },
    ...options,
  })
  await app.ready()
  for (const url of ['/dashboard', '/dashboard/', '/dashboard/endpoints', ...assets]) {
    expect((await app.inject({ method: 'GET', url })).statusCode).toBe(404)
  }
  await app.close()
})
