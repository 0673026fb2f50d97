/** The portal in a real browser: from a link to the first test event that arrived, frames, themes, and links that ended. */
import { describe, expect, test } from 'vitest'
import { portalAbilities } from '../../../src/core/portal.ts'
import { using } from './bed.ts'
import { findSidewaysScroll } from './in-page.mjs'
import { takePicture } from './pictures.ts'
import type { PortalBed } from './portal-bed.ts'
import {
  expectQuiet,
  openContext,
  seriousViolations,
  type WatchedContext,
  walkByKeyboard,
} from './watched-page.ts'

type Page = WatchedContext['page']

/** Refusals are what some scenes are about. */
const refusals = /status of (?:401|422|400)/

const whatPageKeeps = `JSON.stringify({
  address: location.href,
  storage: [...Object.entries(localStorage), ...Object.entries(sessionStorage)],
  cookies: document.cookie,
  state: history.state,
  text: document.documentElement.outerHTML,
})`

export function describePortal(open: () => PortalBed): void {
  const opened = () => openContext(open().browser)
  const enter = async (page: Page, url: string) => {
    await page.goto(url)
    await page.getByRole('heading', { level: 1 }).waitFor()
  }

  describe('somebody with a link to the portal', () => {
    test('adds an endpoint, sends it a test event that arrives, sees its secret and how to verify with it', async () => {
      const { link, make, receiver, server } = open()
      const { url, token } = await link(portalAbilities)
      const example = { id: 'o_example' }
      const type = { description: 'Somebody ordered something.', example }
      await make('POST', '/v1/event-types', { name: 'orders.placed', ...type })
      await make('POST', '/v1/event-types', { name: 'orders.old', deprecated: true })
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, url)
        await page.getByText('Acme Inc.').waitFor()
        expect(page.url()).toBe(`${server.url}/portal/`)
        await page.getByRole('link', { name: 'Add an endpoint' }).click()
        await page.getByLabel('URL').fill(`${receiver.url}/portal-test`)
        await page.getByLabel('Description').fill('our shop')
        await page.getByLabel('All events').uncheck()
        await page.getByText('Somebody ordered something.').waitFor()
        await page.getByText('Example', { exact: true }).click()
        await page.getByText('"id": "o_example"').waitFor()
        expect(await page.getByLabel('orders.old').count()).toBe(0)
        await page.getByRole('checkbox', { name: 'orders.placed' }).check()
        await page.getByRole('button', { name: 'Add an endpoint' }).click()
        await page.getByText('The endpoint was added.').waitFor()
        await page.getByText('orders.placed').first().waitFor()
        await page.getByRole('button', { name: 'Send a test event' }).click()
        await page.getByText('It arrived: your endpoint answered 200').waitFor()
        expect(receiver.received).toContain('/portal-test')
        await page.getByRole('button', { name: 'Show the secret' }).click()
        const secret = (await page.getByLabel('Signing secret').locator('code').textContent()) ?? ''
        expect(secret).toMatch(/^whsec_/)
        const choice = page.getByLabel('Language')
        expect(await choice.locator('option').allTextContents()).toHaveLength(9)
        for (const language of ['Python', 'Go', 'C#']) {
          await choice.selectOption({ label: language })
          await page.locator('section.lines[aria-label]', { hasText: secret }).last().waitFor()
        }
        const kept = String(await page.evaluate(whatPageKeeps))
        expect(kept).not.toContain(token)
        expect(watched.requested.filter((address) => address.includes(token))).toEqual([])
        await page.getByRole('button', { name: 'Edit' }).click()
        await page.getByLabel('Description').fill('our other shop')
        await page.getByRole('button', { name: 'Save' }).click()
        await page.getByText('The endpoint was saved.').waitFor()
        await page.getByText('our other shop').waitFor()
        await page.getByRole('button', { name: 'Delete' }).click()
        await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
        await page.getByText('The endpoint was deleted.').waitFor()
        await page.getByRole('heading', { name: 'Endpoints', level: 1 }).waitFor()
        await page.getByRole('link', { name: 'Deliveries' }).click()
        await page.getByText('The endpoint was deleted.').waitFor({ state: 'detached' })
        expectQuiet(watched, server.url)
      })
    })

    test('reads why a delivery failed, sends it again, and recovers all that failed, with its progress', async () => {
      const { link, make, receiver, server } = open()
      const path = '/portal-refuses'
      receiver.answers.set(path, { status: 422, body: 'no such order' })
      const endpoint = await make('POST', '/v1/endpoints?tenant=acme', {
        url: receiver.url + path,
        topics: ['orders.*'],
      })
      for (const id of ['o_1', 'o_2']) {
        await make('POST', '/v1/events?tenant=acme', { topic: 'orders.created', payload: { id } })
      }
      const dead = () => make('GET', `/v1/dlq?tenant=acme&endpoint_id=${endpoint.id}`)
      await expect.poll(async () => (await dead()).items.length, { timeout: 60_000 }).toBe(2)
      const { url } = await link(portalAbilities)
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, url)
        await page.getByRole('link', { name: 'Deliveries' }).click()
        await page.getByLabel('Show', { exact: true }).selectOption({ label: 'given up' })
        await page.getByRole('link', { name: 'orders.created' }).first().click()
        await page.getByText('It was given up after 1 attempts').waitFor()
        await page.getByText('no such order').first().waitFor()
        await page.getByText('"id": "o_').waitFor()
        await page
          .getByText(/\(.* GMT\+[12]\)/)
          .first()
          .waitFor()
        receiver.answers.delete(path)
        await page.getByRole('button', { name: 'Send it again' }).click()
        await page.getByText('It arrived: the endpoint answered 200.').waitFor()
        await page.getByRole('link', { name: 'Deliveries' }).click()
        await page.getByRole('button', { name: 'Send again what failed' }).click()
        await page.getByText('1 would be sent again.').waitFor()
        await page.getByRole('button', { name: 'Send them again' }).click()
        await page.getByText('Done: 1 are on their way.').waitFor()
        await expect.poll(async () => (await dead()).items.length).toBe(0)
        await page.getByRole('link', { name: 'Activity' }).click()
        await page.getByRole('img', { name: /2 arrived, 2 given up/ }).waitFor()
        expectQuiet(watched, server.url)
      })
    })

    test('finds the list of deliveries as it was left, and as it is now', async () => {
      const { link, make, receiver, server } = open()
      await make('POST', '/v1/endpoints?tenant=acme', { url: `${receiver.url}/many`, topics: ['many.*'] })
      for (let number = 0; number < 55; number += 1) {
        await make('POST', '/v1/events?tenant=acme', { topic: 'many.sent', payload: { number } })
      }
      const { url, token } = await link(['view'])
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, url)
        await page.getByRole('link', { name: 'Deliveries' }).click()
        await page.getByLabel('Event', { exact: true }).fill('many.sent')
        await page.keyboard.press('Enter')
        await page.waitForURL(/\?topic=many\.sent$/)
        const time = page.locator('td time').first()
        const before = await time.textContent()
        await expect.poll(() => time.textContent(), { timeout: 90_000 }).not.toBe(before)
        await page.getByRole('button', { name: 'Next page' }).click()
        const left = page.getByRole('button', { name: 'First page' })
        await left.waitFor()
        await expect.poll(() => page.locator('tbody tr').count()).toBe(5)
        const place = page.url()
        await page.getByRole('link', { name: 'many.sent' }).first().click()
        await page.getByRole('heading', { name: 'Delivery many.sent' }).waitFor()
        await page.goBack()
        await left.waitFor()
        expect(page.url()).toBe(place)
        expect(await page.getByLabel('Event', { exact: true }).inputValue()).toBe('many.sent')
        await expect.poll(() => page.locator('tbody tr').count()).toBe(5)
        const held = Promise.withResolvers<void>()
        const ended = page.waitForResponse(/state=cancelled/)
        await page.route(/state=cancelled/, (route) => held.promise.then(() => route.continue()))
        await page.getByLabel('Show', { exact: true }).selectOption({ label: 'cancelled' })
        await page.getByLabel('Show', { exact: true }).selectOption({ label: 'all' })
        await expect.poll(() => page.locator('tbody tr').count()).toBe(50)
        held.resolve()
        await ended
        // What is late is dropped: it neither shows nor hides anything.
        await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))')
        expect(await page.locator('tbody tr').count()).toBe(50)
        expect(page.url()).not.toContain('cursor')
        expect(String(await page.evaluate(whatPageKeeps))).not.toContain(token)
        expectQuiet(watched, server.url)
      })
    })

    test('who may only look sees no button that changes, no secret and no payload', async () => {
      const { link, make, receiver } = open()
      const { id } = await make('POST', '/v1/endpoints?tenant=acme', {
        url: `${receiver.url}/looked-at`,
        topics: ['looked.at'],
      })
      const { url } = await link(['view'])
      await using(await opened(), async ({ page }) => {
        await enter(page, url)
        expect(await page.getByRole('link', { name: 'Add an endpoint' }).count()).toBe(0)
        await page.locator(`a[href$="endpoints/${id}"]`).click()
        await page.getByText('Verify the signature').first().waitFor()
        const buttons = (await page.getByRole('button').allTextContents()).map((text) => text.trim())
        expect(buttons.filter((text) => text !== 'Copy')).toEqual([])
      })
    })

    test('a URL that the server refuses is told in the form, which keeps what was typed', async () => {
      const { link } = open()
      const { url } = await link(portalAbilities)
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, url)
        await page.getByRole('link', { name: 'Add an endpoint' }).click()
        await page.getByLabel('URL').fill('http://10.1.2.3/hook')
        await page.getByRole('button', { name: 'Add an endpoint' }).click()
        await page.getByRole('alert').getByText('10.1.2.3').waitFor()
        expect(await page.getByLabel('URL').inputValue()).toBe('http://10.1.2.3/hook')
        expectQuiet(watched, open().server.url, refusals)
      })
    })

    test.each([
      ['that has expired', 'This link has expired'],
      ['that was revoked', 'This link has been revoked'],
      ['that nobody made', 'This link is not known'],
      ['that is none', 'Open the link that you were given'],
    ])('%s is told so', async (what, shown) => {
      const { link, make, tenantId, server } = open()
      const made = await link(['view'], { expires_in: what === 'that has expired' ? 1 : '1h' })
      if (what === 'that was revoked') await make('DELETE', `/v1/tenants/${tenantId}/portal-links/${made.id}`)
      const urls: Readonly<Record<string, string>> = {
        'that nobody made': `${server.url}/portal/#hkprt_${'0'.repeat(64)}`,
        'that is none': `${server.url}/portal/`,
      }
      await using(await opened(), async (watched) => {
        await watched.page.goto(urls[what] ?? made.url)
        await watched.page.getByRole('heading', { name: shown }).waitFor()
        expect(watched.page.url()).toBe(`${server.url}/portal/`)
        expectQuiet(watched, server.url, refusals)
      })
    })

    test('whose link is revoked while they look is told so at the next look', async () => {
      const { link, make, tenantId } = open()
      const { url, id } = await link(portalAbilities)
      await using(await opened(), async ({ page }) => {
        await enter(page, url)
        await make('DELETE', `/v1/tenants/${tenantId}/portal-links/${id}`)
        await page.getByRole('link', { name: 'Deliveries' }).click()
        await page.getByRole('heading', { name: 'This link has been revoked' }).waitFor()
      })
    })
  })

  describe('the portal in a frame', () => {
    const framed = (from: string, url: string) => `${from}/?portal=${encodeURIComponent(url)}`

    test('of a page that may: works there, and tells that page its height', async () => {
      const { link, parent, server } = open()
      const { url } = await link(portalAbilities)
      await using(await opened(), async ({ page, complaints }) => {
        await page.goto(framed(parent, url))
        const frame = page.frameLocator('iframe')
        await frame.getByRole('link', { name: 'Deliveries' }).click()
        await frame.getByRole('heading', { name: 'Deliveries', level: 1 }).waitFor()
        await page.waitForFunction('told.length > 0')
        const told = (await page.evaluate('told')) as readonly {
          origin: string
          data: { type: string; height: number }
        }[]
        expect(new Set(told.map(({ origin }) => origin))).toEqual(new Set([server.url]))
        expect(told.at(-1)?.data).toEqual({ type: 'outhook-portal-height', height: expect.any(Number) })
        expect(told.at(-1)?.data.height).toBeGreaterThan(100)
        expect(complaints).toEqual([])
      })
    })

    test('of a page that may not: nothing is shown, and nothing is told', async () => {
      const { link, stranger } = open()
      const { url } = await link(['view'])
      await using(await opened(), async ({ page, complaints }) => {
        await page.goto(framed(stranger, url))
        await expect.poll(() => complaints.join(' ')).toContain('frame-ancestors')
        expect(await page.evaluate('told')).toEqual([])
        expect(await page.frameLocator('iframe').getByRole('link', { name: 'Deliveries' }).count()).toBe(0)
      })
    })
  })

  describe('the portal', () => {
    test('has the name, colour, font, logo and mode of its address, and nothing else that stands there', async () => {
      const { link, server } = open()
      const { url } = await link(['view'])
      const pixel =
        'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
      const themed = new URL(url)
      const theme = { name: 'Shop', accent: 'b00020', font: 'serif', mode: 'dark', logo: pixel }
      for (const [name, value] of Object.entries(theme)) themed.searchParams.set(name, value)
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, themed.href)
        await page.getByText('Shop', { exact: true }).waitFor()
        const look = (await page.evaluate(`(() => {
          const style = getComputedStyle(document.documentElement)
          return { scheme: style.colorScheme, font: style.fontFamily, logo: document.querySelector('.logo').naturalWidth }
        })()`)) as object
        expect(look).toEqual({ scheme: 'dark', font: expect.stringContaining('Georgia'), logo: 1 })
        const hostile = new URL(url)
        const values = {
          name: '<img src=x onerror=planted(1)>',
          accent: 'red;--x:url(//a.example)',
          font: 'url(//a.example)',
          logo: 'https://a.example/x.png',
          mode: 'x',
        }
        for (const [name, value] of Object.entries(values)) hostile.searchParams.set(name, value)
        await page.goto('about:blank')
        await enter(page, hostile.href)
        await page.getByText('<img src=x onerror=planted(1)>').waitFor()
        expect(await page.locator('.logo').count()).toBe(0)
        expectQuiet(watched, server.url)
      })
    })

    test('speaks another language from right to left, with no text left behind', async () => {
      const { link } = open()
      const { url } = await link(portalAbilities)
      const there = new URL(url)
      there.searchParams.set('lang', 'en-XB')
      await using(await opened(), async (watched) => {
        const { page } = watched
        await enter(page, there.href)
        expect(await page.evaluate('[document.documentElement.dir, document.documentElement.lang]')).toEqual([
          'rtl',
          'en-XB',
        ])
        for (const path of ['', 'deliveries', 'activity', 'endpoints/new']) {
          if (path !== '') await enter(page, there.href.replace('/portal/', `/portal/${path}`))
          await page.locator('h1').first().waitFor()
          const plain =
            (await page.evaluate(`[...document.querySelectorAll('button, label, h1, h2, legend, th, summary')]
            .map((element) => element.textContent.trim()).filter((text) => text !== '' && !text.startsWith('['))`)) as readonly string[]
          expect([path, plain]).toEqual([path, []])
          expect(await page.evaluate(findSidewaysScroll)).toEqual([])
        }
      })
    })

    test.each([1280, 390])(
      'has no serious violation of accessibility, light and dark, and all by keyboard, at %i px',
      async (width) => {
        const { link, make } = open()
        const { url } = await link(portalAbilities)
        const endpoint = (await make('GET', '/v1/endpoints?tenant=acme&limit=1')).items[0]
        const delivery = (await make('GET', '/v1/deliveries?tenant=acme&limit=1')).items[0]
        const paths = {
          endpoints: '',
          'endpoint-new': 'endpoints/new',
          deliveries: 'deliveries',
          activity: 'activity',
          endpoint: `endpoints/${endpoint?.id}`,
          delivery: `deliveries/${delivery?.id}`,
        }
        await using(await openContext(open().browser, { width }), async (watched) => {
          const { page } = watched
          await enter(page, url)
          const found: Record<string, readonly string[]> = {}
          for (const [name, path] of Object.entries(paths)) {
            await enter(page, url.replace('/portal/', `/portal/${path}`))
            await page.getByText('Loading …').first().waitFor({ state: 'detached' })
            const faults = [...(await walkByKeyboard(page)), ...(await page.evaluate(findSidewaysScroll))]
            for (const colorScheme of ['light', 'dark'] as const) {
              await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
              await takePicture(page, `portal-${name}-${colorScheme}-${width}`)
              faults.push(...(await seriousViolations(page)))
            }
            if (faults.length > 0) found[name] = faults
          }
          expect(found).toEqual({})
          expectQuiet(watched, open().server.url)
        })
      },
    )
  })
}
