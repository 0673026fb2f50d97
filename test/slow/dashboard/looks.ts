/** How each page looks and can be used: light and dark, wide and narrow, by keyboard, with less motion. */
import { beforeAll, describe, expect, test } from 'vitest'
import { matchPath } from '../../../src/dashboard/kit/match-path.ts'
import { type OpenBed, using } from './bed.ts'
import { type Furniture, furnish } from './furnish.ts'
import { findMovingParts, findSidewaysScroll } from './in-page.mjs'
import { type PageAddress, pageAddresses } from './pages.ts'
import { takePicture } from './pictures.ts'
import { expectQuiet, seriousViolations, type WatchedContext, walkByKeyboard } from './watched-page.ts'

const schemes = ['light', 'dark'] as const
const widths = [1280, 390] as const

export function describeLooks(open: OpenBed): void {
  describe('each page of the dashboard', () => {
    let made: Furniture
    beforeAll(async () => {
      made = await furnish(open())
    })

    test('is in the list of addresses', async () => {
      // Not known to the compiler here, which would want to know all that pages are made of.
      const list = new URL('../../../src/dashboard/pages.ts', import.meta.url).href
      const { pages } = (await import(list)) as { readonly pages: readonly { readonly path: string }[] }
      const addresses = pageAddresses.map(({ path }) => path(made).split('?')[0] ?? '')
      const isThere = (path: string) => addresses.some((address) => matchPath(path, address) !== null)
      expect(pages.filter(({ path }) => !isThere(path)).map(({ path }) => path)).toEqual([])
    })

    test.each(pageAddresses)(
      '$name: no serious violation of accessibility, no sideways scroll, all by keyboard, in light and dark, wide and narrow',
      async (address) => {
        const { signedIn, server } = open()
        await using(await signedIn('admin'), async (opened) => {
          await openPage(opened.page, `${server.url}/dashboard/${address.path(made)}`, address)
          expect(await walkByKeyboard(opened.page)).toEqual([])
          expect(await opened.page.evaluate(findMovingParts)).toEqual([])
          const found: Record<string, readonly string[]> = {}
          for (const scheme of schemes) {
            for (const width of widths) {
              const look = `${address.name}-${scheme}-${width}`
              await opened.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
              await opened.page.setViewportSize({ width, height: 900 })
              await takePicture(opened.page, look)
              const faults = [
                ...(await seriousViolations(opened.page)),
                ...(await opened.page.evaluate(findSidewaysScroll)).map((one) => `scrolls sideways: ${one}`),
              ]
              if (faults.length > 0) found[look] = faults
            }
          }
          expect(found).toEqual({})
          expectQuiet(opened, server.url)
        })
      },
    )
  })
}

type Page = WatchedContext['page']

/** Resolves when the page has what it waited for. */
export async function openPage(
  page: Page,
  url: string,
  { shows }: Pick<PageAddress, 'shows'>,
): Promise<void> {
  await page.goto(url)
  await page.getByText(shows).first().waitFor()
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
}
