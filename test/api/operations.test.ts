import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderErrorsReference, renderOpenApi } from '../../src/api/reference.ts'
import { routeAccess } from '../../src/api/route-access.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { renderMetricsReference } from '../../src/observability/reference.ts'
import { version } from '../../src/version.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const reference = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../docs/reference', name), 'utf8')

test('whoami says whose token it is', async () => {
  const server = await aServer()
  const { id, key } = await server.producer()
  expect((await server.call('GET', '/v1/whoami', { token: key })).json).toMatchObject({
    role: 'producer',
    key_id: id,
  })
  expect((await server.call('GET', '/v1/whoami')).json).toMatchObject({ role: 'admin', key_id: null })
})

test('while the store is down the metrics tell what the process knows, and nothing old', async () => {
  let down = false
  const deliveries = {
    pending: 3,
    in_flight: 0,
    retry_scheduled: 0,
    succeeded: 0,
    dead_lettered: 0,
    cancelled: 0,
    skipped: 0,
  }
  const metrics = createMetrics({
    counts: () =>
      down ? Promise.reject(new Error('down')) : Promise.resolve({ deliveries, oldestDueMs: 1500 }),
    inFlight: () => 2,
  })
  const before = await metrics.render()
  expect(before).toContain('outhook_deliveries{state="pending"} 3')
  expect(before).toContain('outhook_oldest_due_seconds 1.5')
  down = true
  const after = await metrics.render()
  expect(after).toContain('outhook_in_flight 2')
  expect(after).not.toMatch(/^outhook_(deliveries|oldest_due_seconds)[ {]/m)
})

test('a stale outcome and a disabled endpoint are counted', async () => {
  const metrics = createMetrics({ counts: () => Promise.reject(new Error('none')), inFlight: () => 0 })
  metrics.staleOutcome()
  metrics.endpointDisabled({ reason: 'gone' })
  metrics.endpointEnabled({ reason: 'failing' })
  metrics.attempt({ status: 'retryable_failure', errorClass: 'timeout', latencyMs: 20 })
  const text = await metrics.render()
  expect(text).toContain('outhook_stale_outcomes_total 1')
  expect(text).toContain('outhook_endpoints_disabled_total{reason="gone"} 1')
  expect(text).toContain('outhook_endpoints_enabled_total{reason="failing"} 1')
  expect(text).toContain('outhook_delivery_attempts_total{outcome="retryable",error_class="timeout"} 1')
  expect(text).toContain('outhook_attempt_duration_seconds_bucket{le="0.025"} 1')
})

test('the OpenAPI document has every route, and every reference in it leads somewhere', async () => {
  const server = await aServer()
  const { json, status } = await server.call('GET', '/openapi.json', { token: null })
  expect(status).toBe(200)
  expect(json.openapi).toBe('3.1.0')
  const operations = Object.entries<Record<string, { operationId: string; responses: object }>>(
    json.paths,
  ).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [
      `${method.toUpperCase()} ${path}`,
      operationId,
    ]),
  )
  expect(operations.map(([route]) => route).sort()).toEqual(routes)
  expect(new Set(operations.map(([, id]) => id)).size).toBe(operations.length)
  const names = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name ?? '',
  )
  expect(names.length).toBeGreaterThan(20)
  for (const name of names) expect(json.components.schemas).toHaveProperty(name)
  for (const [name] of Object.entries(json.components.schemas)) expect(names).toContain(name)
})

/** All but pages for people. */
const routes = Object.keys(routeAccess)
  .filter((route) => !/ \/(?:docs|dashboard|portal|event-types)/.test(route))
  .map((route) => route.replace(/:(\w+)/g, '{$1}'))
  .sort()

test('S1.15 every route refuses strangers, and every path a method that it does not have, with a problem', async () => {
  const server = await aServer()
  const open = ['/healthz', '/readyz', '/metrics', '/openapi.json']
  for (const [method = '', path = ''] of routes.map((route) => route.split(' '))) {
    const real = path.replace(/\{\w+\}/g, 'x')
    const answer = await server.call(method, real, { token: null })
    if (open.includes(path)) expect(answer.status).toBe(200)
    // Receivers read them, of an endpoint that there is.
    else if (path === '/v1/endpoints/{id}/public-keys') expectProblem(answer, { status: 404 })
    else expectProblem(answer, { status: 401, title: 'missing credentials' })
    const wrong = await server.call(routes.includes(`PUT ${path}`) ? 'PATCH' : 'PUT', real)
    expectProblem(wrong, { status: 405 })
    expect(wrong.headers.get('allow')?.split(', ')).toContain(method)
  }
})

test('OPTIONS, Allow and HEAD agree with the methods that a path really takes', async () => {
  const server = await aServer()
  const paths = new Map<string, string[]>()
  for (const [method = '', path = ''] of routes.map((route) => route.split(' '))) {
    paths.set(path, [...(paths.get(path) ?? []), method])
  }
  for (const [path, methods] of paths) {
    const real = path.replace(/\{\w+\}/g, 'x')
    // A stream has no end, so there is nothing that a HEAD could tell of it.
    const hasHead = methods.includes('GET') && path !== '/v1/stream'
    const allowed = [...methods, ...(hasHead ? ['HEAD'] : []), 'OPTIONS'].sort()
    const options = await server.call('OPTIONS', real, { token: null })
    expect([path, options.status, options.text]).toEqual([path, 204, ''])
    expect(options.headers.get('allow')?.split(', ')).toEqual(allowed)
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
      (one) => !allowed.includes(one),
    )) {
      const answer = await server.call(method, real)
      expect([path, method, answer.status]).toEqual([path, method, 405])
      expect(answer.headers.get('allow')?.split(', ')).toEqual(allowed)
    }
    if (!hasHead) continue
    const [get, head] = [await server.call('GET', real), await server.call('HEAD', real)]
    expect([path, head.status, head.text]).toEqual([path, get.status, ''])
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
  }
})

test('OPTIONS of what is not there is a 404, and of the whole server names all methods', async () => {
  const server = await aServer()
  expectProblem(await server.call('OPTIONS', '/v1/nowhere'), { status: 404 })
  const answer = await server.raw('OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 204 /)
  expect(answer).toMatch(/^allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT\r$/m)
})

test('the page at /docs and what it loads come from the server itself', async () => {
  const server = await aServer()
  const page = await server.call('GET', '/docs', { token: null })
  expect(page.status).toBe(200)
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source)
  expect(sources.length).toBeGreaterThan(2)
  for (const source of sources) {
    const { pathname, origin } = new URL(source, `${server.url}/docs`)
    expect(origin).toBe(server.url)
    expect((await server.call('GET', pathname, { token: null })).status).toBe(200)
  }
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'self'")
  // Over plain HTTP on another host than localhost, the browser would ask for the page's files over TLS.
  expect(policy).not.toContain('upgrade-insecure-requests')
  expect(policy).not.toMatch(/https?:|swagger\.io/)
  // The policy lets nothing run that stands in the page itself.
  expect(page.text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/)
  const { text } = await server.call('GET', '/docs/static/start.js', { token: null })
  expect(text).toContain('validatorUrl: null')
  // The top bar of the other layout carries an inline style, which the policy refuses.
  expect(text).toContain("layout: 'BaseLayout'")
})

test('the page is the same with and without compression, and sent once for each version', async () => {
  const { url } = await aServer()
  const ask = (headers: Readonly<Record<string, string>>) =>
    fetch(`${url}/docs/static/swagger-ui-bundle.js`, { headers })
  const packed = await ask({ 'accept-encoding': 'gzip' })
  const plain = await ask({ 'accept-encoding': 'identity' })
  expect([packed.headers.get('content-encoding'), plain.headers.get('content-encoding')]).toEqual([
    'gzip',
    null,
  ])
  const text = await packed.text()
  expect(text).toContain('SwaggerUIBundle')
  expect(await plain.text()).toBe(text)
  const again = await ask({ 'if-none-match': packed.headers.get('etag') ?? '' })
  expect([again.status, await again.text()]).toEqual([304, ''])
  const slashed = await fetch(`${url}/docs/`)
  expect([slashed.redirected, slashed.url, slashed.status]).toEqual([true, `${url}/docs`, 200])
})

test('the OpenAPI document is not sent again to whoever has it', async () => {
  const { url } = await aServer()
  const first = await fetch(`${url}/openapi.json`)
  const etag = first.headers.get('etag') ?? ''
  expect([first.status, JSON.parse(await first.text()).openapi]).toEqual([200, '3.1.0'])
  for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
    const again = await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': known } })
    expect([known, again.status, await again.text()]).toEqual([known, 304, ''])
  }
  const other = await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': '"another"' } })
  expect([other.status, other.headers.get('etag')]).toEqual([200, etag])
})

test('/metrics that many ask for at a time are made once', async () => {
  const server = await aServer()
  const { render } = server.metrics
  let made = 0
  Object.assign(server.metrics, {
    async render() {
      made++
      await new Promise((resolve) => setTimeout(resolve, 20))
      return render()
    },
  })
  const texts = await Promise.all(
    Array.from({ length: 20 }, async () => (await server.call('GET', '/metrics')).text),
  )
  for (const text of texts) expect(text).toContain('process_resident_memory_bytes')
  expect(made).toBeLessThan(20)
  const before = made
  await server.call('GET', '/metrics')
  expect(made).toBe(before + 1)
})

test('a file name with a NUL is one that does not exist', async () => {
  const server = await aServer()
  expectProblem(await server.call('GET', '/docs/static/%00', { token: null }), {
    status: 404,
    title: 'not found',
  })
})

test.each(['/v1/whoami', '/v1/endpoints', '/v1/keys', '/v1/dlq', '/v1/nowhere', '/openapi.json'])(
  'the answer of %s ends with a newline, within its content length',
  async (path) => {
    const server = await aServer()
    const { text, headers } = await server.call('GET', path)
    expect(text.endsWith('}\n')).toBe(true)
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    const head = await server.call('HEAD', path)
    if (head.status === 200) expect(head.headers.get('content-length')).toBe(headers.get('content-length'))
  },
)

test.each([
  ['openapi.json', () => renderOpenApi(version)],
  ['errors.md', () => renderErrorsReference()],
  ['metrics.md', () => renderMetricsReference()],
])(
  'docs/reference/%s is what the source says; else run node scripts/generate-reference.mjs',
  async (name, render) => {
    expect(reference(name)).toBe(await render())
  },
)
