/** Who signs in and out, below a path prefix that a proxy takes away. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { adminToken } from '../../api/a-server.ts'
import { type OpenBed, signIn, using } from './bed.ts'
import { readKept } from './in-page.mjs'
import { type ReverseProxy, startProxy } from './reverse-proxy.ts'
import { expectQuiet, openContext } from './watched-page.ts'

/** The browser itself tells of a request that was refused. */
const refused = /status of 401/

export function describeSigningIn(open: OpenBed): void {
  describe('behind a proxy that takes a path prefix away', () => {
    let proxy: ReverseProxy
    beforeAll(async () => {
      proxy = await startProxy(open().server.url, { prefix: '/tools/outhook' })
    })
    afterAll(() => proxy?.close())

    test('with the keyboard alone somebody signs in and out; the token stays nowhere and nothing leaves the origin', async () => {
      await using(await openContext(open().browser), async (opened) => {
        const { page } = opened
        await page.goto(`${proxy.base}/dashboard`)
        await page.getByLabel('Admin token').focus()
        await page.keyboard.type('a-wrong-token')
        await page.keyboard.press('Enter')
        await page.getByText('This token is unknown, revoked or expired.').waitFor()
        await signIn(page, proxy.base, adminToken)

        const kept = await page.evaluate(readKept)
        expect(kept).not.toMatch(new RegExp(`${adminToken}|hksin_`))

        await page.reload()
        await page.getByRole('button', { name: 'Sign out' }).focus()
        await page.keyboard.press('Enter')
        await page.getByLabel('Admin token').waitFor()
        await page.reload()
        await page.getByLabel('Admin token').waitFor()
        expectQuiet(opened, proxy.base, refused)
      })
    })

    test('a link signs in by itself, once; its code is in no log of the proxy or of the page', async () => {
      const { code } = await open().make('PUT', '/v1/sign-in/code')
      const link = `${proxy.base}/dashboard/#sign-in=${code}`
      await using(await openContext(open().browser), async (opened) => {
        const { page } = opened
        await page.goto(link)
        await page.getByRole('button', { name: 'Sign out' }).waitFor()
        expect(page.url()).toBe(`${proxy.base}/dashboard/`)
        expect(await page.evaluate(readKept)).not.toContain(code)
        await page.reload()
        await page.getByRole('button', { name: 'Sign out' }).waitFor()
        expectQuiet(opened, proxy.base)
      })
      await using(await openContext(open().browser), async (opened) => {
        await opened.page.goto(link)
        await opened.page.getByText('This link has signed somebody in already').waitFor()
        expectQuiet(opened, proxy.base, refused)
      })
      expect(proxy.log.length).toBeGreaterThan(5)
      expect(proxy.log.filter((line) => line.includes(code))).toEqual([])
    })

    test('no page of another origin gets it into a frame', async () => {
      await using(await openContext(open().browser), async ({ page }) => {
        // Another port is another origin.
        const { receiver } = open()
        const body = `this page has a frame <iframe src="${proxy.base}/dashboard/"></iframe>`
        receiver.answers.set('/frame', { status: 200, body })
        await page.goto(`${receiver.url}/frame`)
        await page.getByText('this page has a frame').waitFor()
        const shown = () => page.frames()[1]?.evaluate('document.body.innerText + location.href')
        await vi.waitFor(async () => expect(await shown()).toContain('chrome-error:'), { timeout: 60_000 })
        expect(await shown()).not.toContain('Admin token')
      })
    })

    test.each(['viewer', 'operator', 'admin'] as const)('a %s is shown their role', async (role) => {
      await using(await openContext(open().browser), async (opened) => {
        await signIn(opened.page, proxy.base, open().tokens[role])
        await opened.page.getByText(`role ${role}`).waitFor()
        expectQuiet(opened, proxy.base)
      })
    })
  })
}
