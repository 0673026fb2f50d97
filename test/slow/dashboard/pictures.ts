/** Pictures of pages as the tests see them, for people to look at. */
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** Not committed; a chosen few are copied to docs/images. */
const folder = join(import.meta.dirname, '..', '..', '..', 'test-results', 'screenshots')

/** All of the page, also what has to be scrolled to. */
export async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
