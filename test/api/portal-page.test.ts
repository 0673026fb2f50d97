/** The files of the portal as the server sends them. What the page does with them: test/slow/portal.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PortalOptions, plainPortal, readLogo } from '../../src/api/portal-page.ts'
import { origins } from '../../src/config/origins.ts'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

/** Of JavaScript and CSS for the first view, compressed. */
const maxBytes = 90_000

const closing: (() => Promise<void>)[] = []
const open = (portal?: PortalOptions | null) =>
  aServer({ closeWith: (close) => void closing.push(close), ...(portal !== undefined && { portal }) })
let server: TestServer
beforeAll(async () => {
  server = await open()
})
afterAll(() => Promise.all(closing.map((close) => close())))

const get = (path: string, from = server) => from.call('GET', path, { token: null })
const settingsIn = (page: string) => {
  const content = /name="portal" content="([^"]*)"/.exec(page)?.[1] ?? ''
  return JSON.parse(content.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))))
}

test('the portal may be put into no frame, runs nothing inline, and asks nobody but its own server', async () => {
  for (const path of ['/portal/', '/portal/endpoints/ep_1']) {
    const { status, headers, text } = await get(path)
    expect([path, status]).toEqual([path, 200])
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(text).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|https?:/)
  }
  expect((await fetch(`${server.url}/portal`, { redirect: 'manual' })).headers.get('location')).toBe(
    'portal/',
  )
})

test('the first view of the portal takes at most 90 KB of JavaScript and CSS, compressed', async () => {
  const { text } = await get('/portal/')
  const assets = [...text.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(
    ([, name]) => `/portal/${name}`,
  )
  const sizes = await Promise.all(assets.map(async (path) => (await compressed(path)).length))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  expect(bytes).toBeGreaterThan(5_000)
  expect(bytes).toBeLessThan(maxBytes)
})

async function compressed(path: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const asked = request(server.url + path, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
    expect([path, answer.statusCode, answer.headers['content-encoding']]).toEqual([path, 200, 'gzip'])
    buffer(answer).then(resolve, reject)
  })
  asked.on('error', reject).end()
  return promise
}

test('pages that are named may put it into a frame, and the page knows which, whatever its settings hold', async () => {
  const frameAncestors = ['self', 'https://app.example.com', 'https://*.shop.example']
  const name = `"><script>alert(1)</script>&'`
  const framed = await open({ ...plainPortal, frameAncestors, name, accent: '#aabbcc', mode: 'dark' })
  const { headers, text } = await get('/portal/', framed)
  expect(headers.get('content-security-policy')).toContain(
    "frame-ancestors 'self' https://app.example.com https://*.shop.example",
  )
  expect(headers.get('x-frame-options')).toBeNull()
  expect(text).not.toContain('<script>alert')
  expect(settingsIn(text)).toEqual({
    frameAncestors,
    theme: { name, accent: '#aabbcc', mode: 'dark', font: 'system', logo: null },
  })
  const dashboard = await get('/dashboard/', framed)
  expect(dashboard.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
})

test('a logo comes from the server, and runs nothing when somebody opens it by itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-logo-'))
  try {
    const file = join(folder, 'logo.svg')
    writeFileSync(file, '<svg xmlns="http://www.w3.org/2000/svg"/>')
    const themed = await open({ ...plainPortal, logo: readLogo(file) })
    const { headers, text } = await get('/portal/logo', themed)
    expect([headers.get('content-type'), text]).toEqual([
      'image/svg+xml',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
    ])
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'.*sandbox$/)
    expect(settingsIn((await get('/portal/', themed)).text).theme.logo).toBe('./logo')
    expectProblem(await get('/portal/logo'), { status: 404, detail: '--portal-logo' })
    writeFileSync(join(folder, 'large.png'), Buffer.alloc(256 * 1024 + 1))
    for (const [name, why] of [
      ['logo.exe', 'no picture'],
      ['none.png', 'cannot be read'],
      ['large.png', 'at most 262144'],
    ] as const) {
      expect(() => readLogo(join(folder, name))).toThrow(why)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('it is not there when it is switched off, and the dashboard is', async () => {
  const without = await open(null)
  for (const path of ['/portal', '/portal/', '/portal/deliveries', '/portal/logo']) {
    expect((await get(path, without)).status).toBe(404)
  }
  expect((await get('/dashboard/', without)).status).toBe(200)
})

test.each([
  ['https://app.example.com', ['https://app.example.com']],
  ['self, https://*.Shop.example:8443', ['self', 'https://*.shop.example:8443']],
  [['http://127.0.0.1:3000'], ['http://127.0.0.1:3000']],
  ['https://app.example.com/path', null],
  ['*', null],
  ['https://*', null],
  ["https://a.example; script-src 'unsafe-inline'", null],
  ["'self'", null],
  ['app.example.com', null],
  ['javascript:alert(1)', null],
  [7, null],
])('of the origins %j that may have it in a frame, these are taken: %j', (given, taken) => {
  expect(origins.parse(given)).toEqual(taken)
})
