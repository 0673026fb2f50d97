/** What keeps the sign-in of a browser its own. What both stores do of it: both-stores/sign-ins.ts. */
import { describe, expect, test } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aServer, type TestServer } from './a-server.ts'
import { guarded } from './both-stores/route-access.ts'
import { expectProblem } from './expect-problem.ts'

const hour = 3_600_000

async function aSignIn(server: TestServer) {
  const { headers, json } = await server.call('PUT', '/v1/sign-in')
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
  return { cookie, csrf: json.csrf_token as string }
}

test('a browser is signed out after 12 hours, and not before', async () => {
  const clock = createManualClock()
  const server = await aServer({ clock })
  const { cookie } = await aSignIn(server)
  const whoami = () => server.call('GET', '/v1/whoami', { token: null, headers: { cookie } })
  await clock.advance(12 * hour - 10_000)
  expect((await whoami()).status).toBe(200)
  await clock.advance(10_000)
  expectProblem(await whoami(), { status: 401, detail: 'not signed in any more' })
})

test('a code signs nobody in after a minute', async () => {
  const clock = createManualClock()
  const server = await aServer({ clock })
  const { code } = (await server.call('PUT', '/v1/sign-in/code')).json
  await clock.advance(60_000)
  const late = await server.call('PUT', '/v1/sign-in', { token: code })
  expectProblem(late, { status: 401, detail: 'older than a minute' })
  expect(late.headers.get('set-cookie')).toBeNull()
})

describe('a request with the cookie that changes something', () => {
  const changing = guarded.filter(({ method }) => method !== 'GET')
  let opened: Promise<{ readonly server: TestServer; readonly cookie: string; readonly csrf: string }>
  const closing: (() => Promise<void>)[] = []
  const open = () => {
    opened ??= (async () => {
      const server = await aServer({ closeWith: (close) => void closing.push(close) })
      return { server, ...(await aSignIn(server)) }
    })()
    return opened
  }

  test.each(changing.map(({ route, method, path }) => ({ route, method, path })))(
    '$route: is refused without its X-CSRF-Token, from whatever place it comes',
    async ({ method, path }) => {
      const { server, cookie } = await open()
      for (const headers of [
        { cookie },
        { cookie, 'x-csrf-token': '0'.repeat(64) },
        { cookie, origin: 'https://elsewhere.example', 'content-type': 'text/plain' },
      ]) {
        const answer = await server.call(method, path, { token: null, headers, body: {} })
        expectProblem(answer, { status: 403, title: 'not permitted', detail: 'X-CSRF-Token' })
      }
    },
  )

  test('is let in with it on each of them', async () => {
    const { server, cookie, csrf } = await open()
    // Signing in is not what a cookie can do, and signing out ends what the others need.
    const others = changing.filter(({ url }) => !url.startsWith('/v1/sign-in'))
    for (const { route, method, path } of others) {
      const headers = { cookie, 'x-csrf-token': csrf }
      const { status } = await server.call(method, path, { token: null, headers, body: {} })
      expect([route, status]).not.toEqual([route, 401])
      expect([route, status]).not.toEqual([route, 403])
    }
    expect(others.length).toBeGreaterThan(30)
    for (const close of closing) await close()
  })
})

const texts = {
  cookie: (n: number) => ({
    method: 'GET',
    path: '/v1/whoami',
    token: null,
    headers: { cookie: `outhook_sign_in=hksin_${n.toString(16).padStart(64, '0')}` },
  }),
  code: (n: number) => ({
    method: 'PUT',
    path: '/v1/sign-in',
    token: `hkonce_${n.toString(16).padStart(64, '0')}`,
    headers: {},
  }),
}

test.each(['cookie', 'code'] as const)(
  'whoever guesses at a %s is slowed after a hundred, and a true one from the same address is let in',
  async (kind) => {
    const server = await aServer()
    const { cookie } = await aSignIn(server)
    const { code } = (await server.call('PUT', '/v1/sign-in/code')).json
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, n) => {
        const { method, path, ...options } = texts[kind](n)
        return server.call(method, path, options)
      }),
    )
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(100)
    const slowed = answers.filter(({ status }) => status === 429)
    expect(slowed.length).toBeGreaterThan(20)
    expect(Number(slowed[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await server.call('GET', '/v1/whoami', { token: null, headers: { cookie } })).status).toBe(200)
    expect((await server.call('PUT', '/v1/sign-in', { token: code })).status).toBe(201)
  },
)
