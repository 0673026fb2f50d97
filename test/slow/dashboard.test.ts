/** The dashboard in a real browser, behind a proxy that takes a path prefix away. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startReceiver } from '../../src/testing/receiver.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { type BrowserPage, openPage } from './a-page.ts'
import { findBrowser } from './find-browser.ts'

const browser = findBrowser()
const prefix = '/tools/outhook'
const closing: (() => Promise<unknown>)[] = []
let server: TestServer
let base: string

beforeAll(async () => {
  const closeWith = (close: () => Promise<void>): void => void closing.push(close)
  const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  server = await aServer({ config, closeWith, dispatch: true })
  base = await startProxy()
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

/** As a reverse proxy with a location of its own for the server. */
async function startProxy(): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming
    if (!url.startsWith(`${prefix}/`)) return void outgoing.writeHead(404).end()
    const path = url.slice(prefix.length)
    const asked = request(server.url + path, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    asked.on('error', () => outgoing.destroy())
    incoming.pipe(asked)
  })
  proxy.listen(0, '127.0.0.1')
  await new Promise((resolve) => proxy.once('listening', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        proxy.closeAllConnections()
        proxy.close(resolve)
      }),
  )
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

/** Names of figures with what they are. */
const readFigures = (page: BrowserPage) =>
  page.evaluate<Record<string, string>>(
    `Object.fromEntries([...document.querySelectorAll('.figures > div')].map((one) =>
      [one.querySelector('dt').textContent, one.querySelector('dd').textContent]))`,
  )

async function aDeadLetter(topic: string): Promise<void> {
  const receiver = await startReceiver()
  closing.push(() => receiver.close())
  const endpoint = {
    url: `${receiver.url}/status/410`,
    topics: [topic],
    description: '<img src=x onerror=alert(1)>',
  }
  await server.call('POST', '/v1/endpoints', { body: endpoint })
  await server.call('POST', '/v1/events', { body: { topic, payload: { n: 1 } } })
  await expect
    .poll(async () => (await server.call('GET', '/v1/dlq')).json.items.length, { timeout: 60_000 })
    .toBe(1)
}

test('with the keyboard alone somebody signs in, sees the figures change, and signs out; nothing leaves the origin', {
  timeout: 240_000,
}, async ({ skip }) => {
  if (browser === null) return skip('not run: no Chromium is on this machine')
  const page = await openPage(browser)
  closing.push(() => page.close())
  await page.open(`${base}${prefix}/dashboard`)
  await page.shows('Admin token')

  const enter = async (token: string) => {
    await page.evaluate(`document.querySelector('#token').focus()`)
    await page.evaluate(`document.querySelector('#token').select()`)
    await page.type(token)
    await page.press('Enter')
  }
  await enter('a-wrong-token')
  await page.shows('This token is unknown, revoked or expired.')
  // The browser itself tells of a request that was refused, and this one was meant to be.
  expect(page.complaints).toEqual([expect.stringContaining('status of 401')])

  await enter(adminToken)
  await page.shows('There is no endpoint yet')
  expect(await readFigures(page)).toMatchObject({ Endpoints: '0', 'Dead letters': '0' })

  // The token is nowhere, and neither is what stands in its place.
  const kept = `JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href,
    document.documentElement.outerHTML])`
  expect(await page.evaluate<string>(kept)).not.toMatch(new RegExp(`${adminToken}|hksin_`))

  await aDeadLetter('orders.created')
  await page.shows('orders.created')
  await expect.poll(() => readFigures(page)).toMatchObject({ Endpoints: '1', 'Dead letters': '1' })
  await page.shows('disabled: gone')

  await page.open(`${base}${prefix}/dashboard/`)
  await page.shows('Overview')
  await page.evaluate(
    `[...document.querySelectorAll('button')].find((one) => one.textContent === 'Sign out').focus()`,
  )
  await page.press('Enter')
  await page.shows('Admin token')
  await page.open(`${base}${prefix}/dashboard/`)
  await page.shows('Admin token')

  expect(page.complaints.slice(1)).toEqual([])
  expect(page.requested.length).toBeGreaterThan(10)
  expect(page.requested.filter((url) => !url.startsWith(`${base}${prefix}/`))).toEqual([])
})
