import { expect, test } from 'vitest'
import { type ErrorCode, errorTable } from '../../src/core/errors.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

test('a problem’s type is a page about its code, which needs no token and loads nothing', async () => {
  const server = await aServer()
  for (const [code, { status, title }] of Object.entries(errorTable)) {
    const page = await server.call('GET', `/docs/errors/${code}`, { token: null })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.text).toContain(`<h1>${title}</h1>`)
    expect(page.text).toContain(`Status ${status}, code <code>${code}</code>`)
    expect(page.text).toMatch(/<h2>What to do<\/h2>\n<p>\w.+\.<\/p>/)
    expect(page.text).not.toMatch(/<script|<style|src=|`/)
  }
})

test('the page of all errors leads to each of them', async () => {
  const server = await aServer()
  const { text } = await server.call('GET', '/docs/errors', { token: null })
  const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link)
  expect(links).toHaveLength(Object.keys(errorTable).length)
  for (const link of links) {
    const { pathname } = new URL(link, `${server.url}/docs/errors`)
    expect((await server.call('GET', pathname, { token: null })).status).toBe(200)
  }
})

test('an unknown code has no page', async () => {
  const server = await aServer()
  for (const code of ['nothing', 'constructor', '__proto__', 'not_found/x']) {
    expectProblem(await server.call('GET', `/docs/errors/${code}`), { status: 404, code: 'not_found' })
  }
})

const large = 'x'.repeat(262_144)

test.each<[string, string, object, ErrorCode]>([
  ['GET', '/v1/endpoints/x', {}, 'not_found'],
  ['PUT', '/v1/endpoints', {}, 'method_not_allowed'],
  ['GET', '/v1/events', { token: 'x' }, 'unauthorized'],
  ['GET', '/v1/events', { token: null }, 'missing_credentials'],
  ['GET', '/v1/events?cursor=x', {}, 'bad_cursor'],
  ['GET', '/v1/events?limit=x', {}, 'invalid_request'],
  ['POST', '/v1/events', { body: '{' }, 'invalid_body'],
  ['POST', '/v1/events', { body: { topic: 'a', payload: large } }, 'payload_too_large'],
  ['POST', '/v1/endpoints', { body: { url: 'http://127.0.0.1/' } }, 'url_rejected'],
  [
    'POST',
    '/v1/endpoints',
    { body: { url: 'https://example.com/', description: 'x'.repeat(1001) } },
    'unprocessable',
  ],
  ['GET', '/v1/%zz', {}, 'invalid_request'],
  ['GET', `/v1/endpoints/${'x'.repeat(801)}`, {}, 'uri_too_long'],
])('%s %s has the code $3', async (method, path, call, code) => {
  const server = await aServer()
  expectProblem(await server.call(method, path, call), { status: errorTable[code].status, code })
})

test('a refused item of a batch is a whole problem', async () => {
  const server = await aServer()
  const body = {
    events: [
      { topic: '', payload: 1 },
      { topic: 'a', payload: 1 },
    ],
  }
  const { json } = await server.call('POST', '/v1/events/batch', { body })
  expect(json.items[0]).toEqual({
    type: '/docs/errors/invalid_body',
    title: 'invalid body',
    status: 400,
    detail: 'events[0]: topic and payload are required',
    code: 'invalid_body',
  })
  expect(json.items[1]).not.toHaveProperty('code')
})
