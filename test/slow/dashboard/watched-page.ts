/** Pages of a real Chromium, driven by Playwright, that keep what a page may never do: break its policy, fail, ask others. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserFlags, requireBrowser } from '../find-browser.ts'
import { findUnreached, markControls, recordMotion, reportViolations, unmarkFocused } from './in-page.mjs'

export interface Watch {
  /** Errors of the console, exceptions, dialogs, and what the policy of the page has kept out. */
  readonly complaints: string[]
  /** Every address that was asked for. */
  readonly requested: string[]
  /** Numbers of planted texts that have run. */
  readonly ran: unknown[]
}

export interface WatchedContext extends Watch {
  readonly context: BrowserContext
  readonly page: Page
}

/** Fails where there is none: what these tests show is shown by no other. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requireBrowser(), args: [...browserFlags] })
}

export interface ContextOptions {
  readonly storageState?: Awaited<ReturnType<BrowserContext['storageState']>>
  readonly width?: number
  /** Whether it takes a server by a certificate that it does not know. Default false. */
  readonly trustsAll?: boolean
  /** What the user has asked the browser for. Default: less of it. */
  readonly motion?: 'reduce' | 'no-preference'
}

/** A browser of its own, as far as pages can tell, with one page. */
export async function openContext(browser: Browser, options: ContextOptions = {}): Promise<WatchedContext> {
  const { storageState, width = 1280, motion = 'reduce', trustsAll = false } = options
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    reducedMotion: motion,
    ignoreHTTPSErrors: trustsAll,
    timezoneId: 'Europe/Vienna',
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...(storageState !== undefined && { storageState }),
  })
  const watch: Watch = { complaints: [], requested: [], ran: [] }
  await context.exposeBinding('reportViolation', (_source, text: string) => {
    watch.complaints.push(`policy: ${text}`)
  })
  await context.exposeBinding('planted', (_source, number: unknown) => void watch.ran.push(number))
  await context.addInitScript(reportViolations)
  await context.addInitScript(recordMotion)
  context.on('request', (request) => void watch.requested.push(request.url()))
  context.on('console', (message) => {
    if (message.type() === 'error') watch.complaints.push(`console: ${message.text()}`)
  })
  context.on('weberror', (error) => void watch.complaints.push(`exception: ${error.error().message}`))
  context.on('dialog', (dialog) => {
    watch.complaints.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => undefined)
  })
  const page = await context.newPage()
  // What a page waits for comes; how soon depends on the machine.
  page.setDefaultTimeout(100_000)
  return { ...watch, context, page }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly help: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
  }[]
}

/** What axe-core calls serious or critical, in one line each. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  // Evaluated by the debugger, which the policy of the page has no say in.
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(axe)
  const { violations } = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] })',
  )) as AxeResult
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => {
      const where = nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`)
      return `${id}: ${help} (${nodes.length}) ${where.join(' | ').replace(/\s+/g, ' ')}`
    })
}

/**
 * Goes through the page with the Tab key alone; answers with controls that it never reaches, and with those that do not
 * show that they have the focus.
 */
export async function walkByKeyboard(page: Page): Promise<readonly string[]> {
  await page.evaluate(markControls)
  const faint: string[] = []
  const enough = 40 + (await page.evaluate(findUnreached)).length * 3
  for (let presses = 0; presses < enough; presses++) {
    await page.keyboard.press('Tab')
    const found = await page.evaluate(unmarkFocused)
    if (found === 'end') break
    if (found !== 'seen') faint.push(`shows no focus: ${found}`)
  }
  const unreached = await page.evaluate(findUnreached)
  return [...unreached.map((one) => `not reached: ${one}`), ...faint]
}

/** Nothing that the page may never do has happened. `but`: complaints that the test itself asked for. */
export function expectQuiet(watch: Watch, base: string, but: RegExp = /(?!)/): void {
  expect(watch.complaints.filter((one) => !but.test(one))).toEqual([])
  expect(watch.ran).toEqual([])
  const isOwn = (url: string) => url.startsWith(`${base}/`) || /^(?:data|blob|about):/.test(url)
  expect(watch.requested.filter((url) => !isOwn(url))).toEqual([])
  expect(watch.requested.length).toBeGreaterThan(3)
}
