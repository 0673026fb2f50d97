/** Whole errands without a mouse: from the navigation through forms and dialogs to what came of it, Tab by Tab. */
import { describe, expect, test, vi } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { findSidewaysScroll, readMotion } from './in-page.mjs'
import { expectQuiet, seriousViolations, type WatchedContext } from './watched-page.ts'

type Page = WatchedContext['page']
type Role = Parameters<Page['getByRole']>[0]

/** More than any page has controls. */
const enoughPresses = 250

/** Goes on with the Tab key until it is there, as somebody does who looks for it. */
async function tabTo(page: Page, role: Role, name: string | RegExp): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true }).first()
  await wanted.waitFor()
  for (let presses = 0; presses < enoughPresses; presses++) {
    if (await wanted.evaluate((one) => one === one.ownerDocument.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not reach the ${role} "${name}"`)
}

async function choose(page: Page, role: Role, name: string | RegExp): Promise<void> {
  await tabTo(page, role, name)
  await page.keyboard.press('Enter')
}

async function write(page: Page, label: string, text: string): Promise<void> {
  await tabTo(page, 'textbox', label)
  await page.keyboard.type(text)
}

export function describeByKeyboard(open: OpenBed): void {
  describe('with the keyboard alone, and less motion', () => {
    test('an endpoint is made, its secret rotated, and what it had lost replayed; nothing moves', async () => {
      const { signedIn, server, make, receiver } = open()
      receiver.answers.set('/by-keyboard', { status: 422, body: 'not today' })
      await using(await signedIn('admin'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/`)
        await choose(page, 'link', 'Endpoints')
        await choose(page, 'button', 'New endpoint')
        await write(page, 'URL', `${receiver.url}/by-keyboard`)
        await write(page, 'Topics', 'keyboard.only')
        await choose(page, 'button', 'Make the endpoint')
        await choose(page, 'link', 'Go to the endpoint and send it a test event')
        await choose(page, 'button', 'Copy id')
        await page.getByText('Copied: id').waitFor()

        await choose(page, 'button', 'Rotate the secret')
        await page.getByRole('dialog').waitFor()
        await choose(page, 'button', 'Rotate')
        await page
          .getByText(/whsec_/)
          .first()
          .waitFor()
        await choose(page, 'button', 'Close')
        await page.getByRole('progressbar').first().waitFor()

        await make('POST', '/v1/events', { topic: 'keyboard.only', payload: 1 })
        const lost = async () => (await make('GET', '/v1/dlq?topic=keyboard.only')).items.length
        await vi.waitFor(async () => expect(await lost()).toBe(1), { timeout: 60_000 })
        receiver.answers.delete('/by-keyboard')
        await choose(page, 'link', 'Dead letters')
        await tabTo(page, 'searchbox', 'Topic')
        await page.keyboard.type('keyboard.only')
        await page.keyboard.press('Enter')
        await vi.waitFor(() => expect(page.url()).toContain('topic=keyboard.only'))
        await choose(page, 'button', 'Replay all that match')
        await choose(page, 'button', 'Replay them')
        await page.getByText('1 of 1 done').waitFor()
        await choose(page, 'button', 'Close')
        await page.getByText('None is like this.').waitFor()
        expect(await page.evaluate(readMotion)).toEqual([])
        expectQuiet(opened, server.url)
      })
      const came = () => receiver.received.filter((path) => path === '/by-keyboard').length
      await vi.waitFor(() => expect(came()).toBe(2), { timeout: 60_000 })
    })

    test('lists say exact times with their zone when that is chosen, and say it on other pages and later too', async () => {
      const { signedIn, server, make } = open()
      await make('POST', '/v1/endpoints', { url: 'https://127.0.0.1/exact', topics: ['exact.times'] })
      await make('POST', '/v1/events', { topic: 'exact.times', payload: 1 })
      await using(await signedIn('viewer'), async (opened) => {
        const { page } = opened
        const time = page.locator('td time').first()
        const said = () => time.textContent()
        const name = 'Exact times (Europe/Vienna)'
        await page.goto(`${server.url}/dashboard/endpoints`)
        await time.waitFor()
        expect(await said()).toMatch(/ago|now/)
        await choose(page, 'button', name)
        const exact = /^[A-Z][a-z]{2} \d+, 20\d\d, \d+:\d\d:\d\d [AP]M GMT\+\d$/
        expect(await said()).toMatch(exact)
        expect(await seriousViolations(page)).toEqual([])
        expect(await page.evaluate(findSidewaysScroll)).toEqual([])
        await choose(page, 'link', 'Events')
        await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor()
        await vi.waitFor(async () => expect(await said()).toMatch(exact))
        await page.reload()
        await vi.waitFor(async () => expect(await said()).toMatch(exact))
        await choose(page, 'button', name)
        expect(await said()).toMatch(/ago|now/)
        await page.goto(`${server.url}/dashboard/endpoints/new`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        expect(await page.getByRole('button', { name }).count()).toBe(0)
        expectQuiet(opened, server.url)
      })
    })

    test('a link to the portal is made for somebody of a tenant, opened, and revoked', async () => {
      const { signedIn, server, make } = open()
      const tenant = await make('POST', '/v1/tenants', { name: 'With a portal' })
      await using(await signedIn('admin'), async (opened) => {
        const { page, context } = opened
        await page.goto(`${server.url}/dashboard/tenants/${tenant.id}`)
        await choose(page, 'button', 'New link to the portal')
        await write(page, 'For whom', 'Ada')
        await tabTo(page, 'checkbox', 'Send again what failed')
        await page.keyboard.press('Space')
        await choose(page, 'button', 'Make the link')
        const link = await page.getByText(/#hkprt_/).textContent()
        await choose(page, 'button', 'Close')
        await page.getByText('view, resend').waitFor()
        expect(await seriousViolations(page)).toEqual([])
        const portal = await context.newPage()
        await portal.goto(link ?? '')
        await portal.getByText('With a portal').first().waitFor()
        await choose(page, 'button', 'Revoke')
        await page.getByRole('dialog').waitFor()
        await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).press('Enter')
        await page.getByText('the link for Ada is revoked.').waitFor()
        await page.getByRole('cell', { name: 'revoked', exact: true }).waitFor()
        await portal.close()
        expectQuiet(opened, server.url)
      })
      await using(await signedIn('operator'), async ({ page }) => {
        await page.goto(`${server.url}/dashboard/tenants/${tenant.id}`)
        await page.getByRole('region', { name: 'Links to the portal' }).getByText('admin').waitFor()
      })
    })

    test('to whoever has not asked for less, what came of something comes into sight in motion', async () => {
      const { signedIn, server } = open()
      await using(await signedIn('admin', { motion: 'no-preference' }), async ({ page }) => {
        await page.goto(`${server.url}/dashboard/endpoints/new`)
        await write(page, 'URL', 'https://127.0.0.1/in-motion')
        await choose(page, 'button', 'Make the endpoint')
        await choose(page, 'link', 'Go to the endpoint and send it a test event')
        await choose(page, 'button', 'Copy id')
        await vi.waitFor(async () => expect(await page.evaluate(readMotion)).not.toEqual([]))
      })
    })
  })
}
