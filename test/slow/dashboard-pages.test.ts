/** The pages of the dashboard in a real browser: what they show, and what is done with them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { type BrowserPage, openPage } from './a-page.ts'
import { findBrowser } from './find-browser.ts'

const browser = findBrowser()
const closing: (() => Promise<unknown>)[] = []
let server: TestServer
let receiver: Receiver
let page: BrowserPage

beforeAll(async () => {
  if (browser === null) return
  const closeWith = (close: () => Promise<void>): void => void closing.push(close)
  const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  server = await aServer({ config, closeWith, dispatch: true })
  receiver = await startReceiver()
  closing.push(() => receiver.close())
  page = await openPage(browser)
  closing.push(() => page.close())
}, 120_000)
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

const aPageTest = (title: string, run: () => Promise<void>): void => {
  test(title, { timeout: 120_000 }, async ({ skip }) => {
    if (browser === null) return skip('not run: no Chromium is on this machine')
    await run()
    expect(page.complaints).toEqual([])
  })
}

/** As somebody does it with the keyboard: to the thing with this text, and Enter. */
async function press(what: 'a' | 'button', name: string): Promise<void> {
  const found = `[...document.querySelectorAll('${what}')].find((one) => one.textContent.trim() === '${name}')`
  await expect.poll(() => page.evaluate<boolean>(`${found} !== undefined`)).toBe(true)
  await page.evaluate(`${found}.focus()`)
  await page.press('Enter')
}

const focused = () => page.evaluate<string>('document.activeElement.textContent')
const address = () => page.evaluate<string>('location.pathname + location.search')

aPageTest('somebody signs in at the address of any page, and is there', async () => {
  await page.open(`${server.url}/dashboard/endpoints/?tenant=default`)
  await page.shows('Admin token')
  await page.evaluate(`document.querySelector('#token').focus()`)
  await page.type(adminToken)
  await page.press('Enter')
  await page.shows('There is no endpoint yet')
  await page.open(`${server.url}/dashboard/`)
  await page.shows('Endpoints in trouble')
})

aPageTest(
  'going to another page changes the address, moves the focus to its heading, and can be taken back',
  async () => {
    await press('a', 'Endpoints')
    await page.shows('There is no endpoint yet')
    await expect.poll(focused).toBe('Endpoints')
    expect(await address()).toBe('/dashboard/endpoints')
    expect(await page.evaluate('document.title')).toBe('Endpoints – Outhook')
    await page.evaluate('history.back()')
    await page.shows('Endpoints in trouble')
    await page.open(`${server.url}/dashboard/no/such/page`)
    await page.shows('There is no such page')
  },
)

aPageTest(
  'the list of endpoints is filtered by what the address says, and says what to do where there is none',
  async () => {
    await server.call('POST', '/v1/endpoints', {
      body: { url: `${receiver.url}/a`, uid: 'crm', topics: ['a.*'] },
    })
    await page.open(`${server.url}/dashboard/endpoints`)
    await page.shows('crm')
    await page.shows('a.*')
    await page.open(`${server.url}/dashboard/endpoints?uid=other`)
    await page.shows('No endpoint is called other')
    await press('a', 'Show all')
    await page.shows('crm')
    expect(await address()).toBe('/dashboard/endpoints')
  },
)
