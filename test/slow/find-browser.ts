/** A Chromium that is on this machine, or that the set-up of the tests has fetched. */
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { findBrowser } from '../../scripts/test-browser.mjs'

export { findBrowser } from '../../scripts/test-browser.mjs'

/** For what is shown in nothing else: where there is none, the test fails and says why. With all of its path. */
export function requireBrowser(): string {
  const path = browserPath()
  if (path !== null) return path
  throw new Error(
    'no Chromium is on this machine, and the dashboard is tested in nothing else. On Linux (x64) "node scripts/setup.mjs ' +
      '--servers", which "npm test" runs, fetches one; elsewhere install one ("apt-get install chromium" on Debian), or ' +
      'name it in OUTHOOK_CHROMIUM',
  )
}

/** The same with all of its path. */
export function browserPath(): string | null {
  const name = findBrowser()
  if (name === null || isAbsolute(name)) return name
  const files = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))
  return files.find(isProgram) ?? null
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const browserFlags: readonly string[] = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-dev-shm-usage',
]
