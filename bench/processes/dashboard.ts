/**
 * What the pages of the dashboard ask the server for: seen in a real Chromium once, and then asked again and again without
 * one, so that what is timed is the server.
 */
import { type BrowserContext, chromium } from 'playwright-core'
import { pageAddresses } from '../../test/slow/dashboard/pages.ts'
import { browserFlags, browserPath } from '../../test/slow/find-browser.ts'
import { adminToken } from '../harness/admin-api.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export interface PageReads {
  readonly name: string
  /** Paths of the API with their queries, each once. */
  readonly asks: readonly string[]
  /** Until the page had all that it shows, in Chromium, and with nothing in its cache for the first of them. */
  readonly shownMs: number
}

interface Reading {
  readonly url: string
  readonly pages: readonly PageReads[]
  readonly seconds: number
}

const pauseMs = 20
const lateMs = 2_000
/** As often as the dashboard asks by itself. */
const refreshMs = 5_000

let ending = new AbortController()
let watching: Promise<unknown> = Promise.resolve()

const commands = {
  /** Null: no Chromium is here. */
  async findReads(url: string): Promise<readonly PageReads[] | null> {
    const executablePath = browserPath()
    if (executablePath === null) return null
    const browser = await chromium.launch({ executablePath, args: [...browserFlags] })
    try {
      const context = await browser.newContext()
      await signIn(context, url)
      return await readsOf(context, url)
    } finally {
      await browser.close()
    }
  },
  /** Milliseconds until all was there that a page asks for, by page, over and over; the pages take turns. */
  async time({ url, pages, seconds }: Reading): Promise<Readonly<Record<string, readonly number[]>>> {
    const times: Record<string, number[]> = {}
    const until = performance.now() + seconds * 1000
    while (performance.now() < until) {
      for (const { name, asks } of pages) {
        const startedAt = performance.now()
        await askAll(url, asks)
        times[name] = [...(times[name] ?? []), performance.now() - startedAt]
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
    return times
  },
  /** Asks as an open page does that is live, until it is told to stop. */
  watch({ url, pages }: Omit<Reading, 'seconds'>): void {
    ending = new AbortController()
    const asks = [...new Set(pages.flatMap((page) => page.asks))]
    const { signal } = ending
    watching = Promise.all([holdStream(url, signal), refresh(url, asks, signal)])
  },
  async unwatch(): Promise<void> {
    ending.abort()
    await watching
  },
}

export type DashboardCommands = typeof commands

async function signIn(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage()
  const { code } = (await ask(url, '/v1/sign-in/code', 'PUT')) as { readonly code: string }
  await page.goto(`${url}/dashboard/#sign-in=${code}`)
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  await page.close()
}

async function readsOf(context: BrowserContext, url: string): Promise<readonly PageReads[]> {
  const made = await findFurniture(url)
  const found: PageReads[] = []
  for (const { name, path } of pageAddresses) {
    const page = await context.newPage()
    const asks = new Set<string>()
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url())
      const isRead = request.method() === 'GET' && pathname.startsWith('/v1/')
      if (isRead && pathname !== '/v1/stream') asks.add(pathname + search)
    })
    const startedAt = performance.now()
    await page.goto(`${url}/dashboard/${path(made)}`)
    await page.locator('main h1').first().waitFor()
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
    const shownMs = performance.now() - startedAt
    // What it asks for after the first of it is shown.
    await page.waitForTimeout(lateMs)
    found.push({ name, asks: [...asks], shownMs })
    await page.close()
  }
  return found
}

type Furniture = Parameters<(typeof pageAddresses)[number]['path']>[0]

/** Of each kind one that is there; of what is not, the page says so. */
async function findFurniture(url: string): Promise<Furniture> {
  const first = async (path: string, name = 'id') => {
    const { items } = (await ask(url, path)) as { readonly items: readonly Record<string, string>[] }
    return items[0]?.[name] ?? ''
  }
  const delivery = await first('/v1/dlq?limit=1', 'delivery_id')
  const endpoint = await first('/v1/endpoints?limit=1')
  const known = {
    tenant: await first('/v1/tenants?limit=1'),
    endpoint,
    failingEndpoint: endpoint,
    subscription: await first('/v1/subscriptions?limit=1'),
    event: await first('/v1/events?limit=1'),
    delivery,
    key: await first('/v1/keys?limit=1'),
    job: await first('/v1/jobs?limit=1'),
  }
  // A kind that the tests have and this has not: the page says that it is not there.
  return new Proxy(known, { get: (all, name) => Reflect.get(all, name) ?? 'none' }) as Furniture
}

async function ask(url: string, path: string, method = 'GET'): Promise<unknown> {
  const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${adminToken}` } })
  const text = await answer.text()
  // What is not there is answered as fast.
  if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

const askAll = (url: string, asks: readonly string[]) => Promise.all(asks.map((path) => ask(url, path)))

async function refresh(url: string, asks: readonly string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await askAll(url, asks)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, refreshMs)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/** A server that has no stream answers at once, and there is nothing to hold. */
async function holdStream(url: string, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/event-stream' }
  try {
    const { body } = await fetch(`${url}/v1/stream`, { headers, signal })
    for await (const _chunk of body ?? []);
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

serveCommands(commands)
