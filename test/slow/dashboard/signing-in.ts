/** Who signs in and out, below a path prefix that a proxy takes away. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken } from '../../api/a-server.ts'
import { type OpenBed, type ReverseProxy, signIn, startProxy, using } from './bed.ts'
import { readKept } from './in-page.mjs'
import { expectQuiet, openContext } from './watched-page.ts'

/** The browser itself tells of a request that was refused. */
const refused = /status of 401/

export function describeSigningIn(open: OpenBed): void {
  describe('behind a proxy that takes a path prefix away', () => {
    let proxy: ReverseProxy
    beforeAll(async () => {
      proxy = await startProxy(open().server.url, '/tools/outhook')
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

    test.each(['viewer', 'operator', 'admin'] as const)('a %s is shown their role', async (role) => {
      await using(await openContext(open().browser), async (opened) => {
        await signIn(opened.page, proxy.base, open().tokens[role])
        await opened.page.getByText(`role ${role}`).waitFor()
        expectQuiet(opened, proxy.base)
      })
    })
  })
}
