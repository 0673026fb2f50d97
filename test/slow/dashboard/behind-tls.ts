/** The dashboard of `outhook serve` behind a proxy that speaks TLS with browsers, below a path prefix. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../../src/client/index.ts'
import { aDirectory, adminToken, startServer } from '../server-process.ts'
import { type OpenBed, signIn, using } from './bed.ts'
import { startProxy } from './reverse-proxy.ts'
import { expectQuiet, openContext, type WatchedContext } from './watched-page.ts'

const prefix = '/tools/outhook'

/** What the browser keeps, but for its text. */
async function keptCookies({ context }: WatchedContext) {
  const cookies = await context.cookies()
  return cookies.map(({ name, secure, httpOnly, sameSite, path }) => ({
    name,
    secure,
    httpOnly,
    sameSite,
    path,
  }))
}

const theCookie = { name: 'outhook_sign_in', httpOnly: true, sameSite: 'Strict', path: `${prefix}/v1` }

export function describeBehindTls(open: OpenBed): void {
  describe('behind a proxy whose TLS ends there', () => {
    test.each([
      ['says so', { 'x-forwarded-proto': 'https' }],
      ['says nothing of it', {}],
    ])(
      'that %s: the cookie is for TLS and the prefix alone, and pages and the live stream work',
      async (_, adds) => {
        const server = await startServer({ database: join(aDirectory(), 'outhook.db') })
        const proxy = await startProxy(server.url, { prefix, tls: true, adds })
        onTestFinished(() => proxy.close())
        const client = createClient({ url: server.url, token: adminToken })
        await using(await openContext(open().browser, { trustsAll: true }), async (opened) => {
          const { page } = opened
          await signIn(page, proxy.base, adminToken)
          expect(proxy.base).toMatch(/^https:/)
          expect(await keptCookies(opened)).toEqual([{ ...theCookie, secure: true }])

          await page.getByRole('link', { name: 'Events', exact: true }).click()
          const live = page.getByRole('region', { name: 'As they come' }).first()
          await live.getByText('Live: whatever is published').waitFor()
          await client.send({ topic: 'through.tls', payload: { n: 1 } })
          await live.getByRole('link', { name: 'through.tls' }).click()
          await page.getByRole('heading', { level: 1, name: /^Event / }).waitFor()
          await page.reload()
          await page.getByText('through.tls').first().waitFor()

          // A change, with the token against forgery.
          await page.goto(`${proxy.base}/dashboard/endpoints/new`)
          await page.getByLabel('URL', { exact: true }).fill('https://127.0.0.1/behind-tls')
          await page.getByRole('button', { name: 'Make the endpoint' }).click()
          await page.getByRole('link', { name: 'Go to the endpoint and send it a test event' }).click()
          await page.getByRole('button', { name: 'Sign out' }).click()
          await page.getByLabel('Admin token').waitFor()
          expect(await keptCookies(opened)).toEqual([])
          expectQuiet(opened, proxy.base)
        })
        expect(proxy.log.filter((line) => line.includes('/v1/stream'))).not.toEqual([])
      },
    )

    test('without TLS the cookie is for the prefix alone, and for plain HTTP too', async () => {
      const server = await startServer({ database: join(aDirectory(), 'outhook.db') })
      const proxy = await startProxy(server.url, { prefix })
      onTestFinished(() => proxy.close())
      await using(await openContext(open().browser), async (opened) => {
        await signIn(opened.page, proxy.base, adminToken)
        expect(await keptCookies(opened)).toEqual([{ ...theCookie, secure: false }])
        expectQuiet(opened, proxy.base)
      })
    })
  })
}
