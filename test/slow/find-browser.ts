/** A Chromium that is on this machine. */
import { execFileSync } from 'node:child_process'

const browsers = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
]

/** `OUTHOOK_CHROMIUM` names one; else what is on the path. */
export function findBrowser(): string | null {
  const named = process.env.OUTHOOK_CHROMIUM
  const found = (named === undefined ? browsers : [named]).find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
  return found ?? null
}

export const browserFlags: readonly string[] = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-dev-shm-usage',
]
