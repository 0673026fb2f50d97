/** A Chromium that is on this machine. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

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

/** For what is shown in nothing else: where there is none, the test fails and says why. With all of its path. */
export function requireBrowser(): string {
  const path = browserPath()
  if (path !== null) return path
  throw new Error(
    'no Chromium is on this machine, and the dashboard is tested in nothing else; install one, or name it in OUTHOOK_CHROMIUM',
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
