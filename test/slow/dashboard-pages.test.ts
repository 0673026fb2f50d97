/** The pages of the dashboard in a real browser: what they show, and what is done with them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { adminToken, aServer, type TestServer } from '../api/a-server.ts'
import { type BrowserPage, openPage } from './a-page.ts'
import { requireBrowser } from './find-browser.ts'

const closing: (() => Promise<unknown>)[] = []
let server: TestServer
let receiver: Receiver
let page: BrowserPage

beforeAll(async () => {
  const closeWith = (close: () => Promise<void>): void => void closing.push(close)
  const config = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  server = await aServer({ config, closeWith, dispatch: true })
  receiver = await startReceiver()
  closing.push(() => receiver.close())
  page = await openPage(requireBrowser())
  closing.push(() => page.close())
}, 120_000)
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

const aPageTest = (title: string, run: () => Promise<void>): void => {
  test(title, { timeout: 120_000 }, async () => {
    await run()
    // The browser itself tells of a request that was refused, and these were meant to be.
    expect(page.complaints.filter((one) => !one.includes('status of 422'))).toEqual([])
  })
}

/** As somebody does it with the keyboard: to the thing with this text, and Enter. */
async function press(what: 'a' | 'button', name: string): Promise<void> {
  const found = `[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('${what}')].find((one) => one.textContent.trim() === '${name}')`
  await expect.poll(() => page.evaluate<boolean>(`${found} !== undefined`)).toBe(true)
  await page.evaluate(`${found}.focus()`)
  await page.press('Enter')
}

const focused = () => page.evaluate<string>('document.activeElement.textContent')
const address = () => page.evaluate<string>('location.pathname + location.search')

async function signIn(token: string): Promise<void> {
  await page.shows('Admin token')
  await page.evaluate(`document.querySelector('#token').focus()`)
  await page.type(token)
  await page.press('Enter')
}

aPageTest('somebody signs in at the address of any page, and is there', async () => {
  await page.open(`${server.url}/dashboard/endpoints/?tenant=default`)
  await signIn(adminToken)
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

/** What a field of a form says is replaced, as somebody types it. */
async function fill(name: string, text: string): Promise<void> {
  const field = `document.querySelector('[name="${name}"]')`
  await expect.poll(() => page.evaluate<boolean>(`${field} !== null`)).toBe(true)
  await page.evaluate(`${field}.closest('details')?.setAttribute('open', '')`)
  // It may lie in a dialog that is about to open.
  const isFocused = `${field}.focus(), document.activeElement === ${field}`
  await expect.poll(() => page.evaluate<boolean>(isFocused)).toBe(true)
  await page.evaluate(`${field}.select()`)
  await page.type(text)
}

const isGone = (text: string) =>
  expect.poll(() => page.evaluate<string>('document.body.innerText')).not.toContain(text)
const endpointNow = async () => (await server.call('GET', '/v1/endpoints?uid=shop')).json.items[0]

aPageTest(
  'an endpoint is made, tested, changed, paused, disabled, enabled and deleted with the keyboard',
  async () => {
    await page.open(`${server.url}/dashboard/endpoints`)
    await press('button', 'New endpoint')
    await page.shows('What it is')
    await fill('urls', `${receiver.url}/shop`)
    await fill('topics', 'shop.*')
    await fill('uid', 'shop')
    await fill('timeout', '3h')
    await press('button', 'Make the endpoint')
    // The refusal stands beside the field, which has the focus though it is behind "More settings".
    const wrong = `document.activeElement.name + ' ' + document.activeElement.closest('.field').querySelector('.wrong')?.textContent`
    await expect.poll(() => page.evaluate<string>(wrong)).toMatch(/^timeout timeout .*60s/)
    await fill('timeout', '20s')
    await press('button', 'Make the endpoint')
    await page.shows('whsec_')
    await press('a', 'Go to the endpoint and send it a test event')
    await page.shows('Latest deliveries')

    await page.evaluate(`document.querySelector('summary').parentElement.open = true`)
    await press('button', 'Send')
    await page.shows('The receiver answered 200')

    await press('button', 'Rotate the secret')
    await page.shows('A new secret signs at once')
    await press('button', 'Rotate')
    await page.shows('Give the receiver the new secret')
    await press('button', 'Close')
    await page.shows('23 h 59 min left')

    await press('button', 'Pause')
    await fill('reason', 'the shop moves')
    await press('button', 'Pause')
    await page.shows('paused by hand: the shop moves')
    await server.call('POST', '/v1/events', { body: { topic: 'shop.opened', payload: {} } })
    await press('button', 'Resume')
    await page.shows('Deliveries that wait for it: 1')
    await press('button', 'Cancel')
    await isGone('Deliveries that wait for it')

    await press('button', 'Disable')
    await page.shows('Nothing is sent to it until it is enabled.')
    await page.press('Enter')
    await page.shows('disabled by hand')
    await press('button', 'Enable')
    await page.shows('What becomes of them')
    await page.evaluate(`document.querySelector('[name=backlog]').value = 'skip'`)
    await page.evaluate(`document.querySelector('dialog form').requestSubmit()`)
    await page.shows('What waits is cancelled, then it is sent to again')
    await expect.poll(async () => (await endpointNow()).state).toBe('active')
    expect(receiver.received.filter(({ path }) => path === '/shop')).toHaveLength(1)

    await press('a', 'Edit')
    await fill('description', 'of the shop')
    await press('button', 'Save')
    await page.shows('The endpoint was changed.')
    expect(await endpointNow()).toMatchObject({
      description: 'of the shop',
      timeout: '20s',
      topics: ['shop.*'],
    })

    await press('button', 'Delete')
    await page.shows('This cannot be taken back')
    await page.evaluate(`document.querySelector('dialog button[type=submit]').focus()`)
    await page.press('Enter')
    await page.shows('The endpoint was deleted.')
    expect(await address()).toBe('/dashboard/endpoints')
    expect(await endpointNow()).toBeUndefined()
  },
)

aPageTest(
  'dead letters are grouped by reason, one, the selected and all that match are replayed as a job with its progress',
  async () => {
    const endpoint = { url: `${receiver.url}/status/422`, topics: ['dead.*'] }
    const { id } = (await server.call('POST', '/v1/endpoints', { body: endpoint })).json
    for (let n = 0; n < 6; n++) {
      await server.call('POST', '/v1/events', { body: { topic: 'dead.letter', payload: { n } } })
    }
    const left = async () => (await server.call('GET', `/v1/dlq?endpoint_id=${id}`)).json.items.length
    await expect.poll(left).toBe(6)
    await server.call('PATCH', `/v1/endpoints/${id}`, { body: { url: `${receiver.url}/fine` } })

    await page.open(`${server.url}/dashboard/dead-letters?endpoint=${id}`)
    await page.shows('http_422')
    await press('button', 'http_422')
    await expect.poll(address).toBe(`/dashboard/dead-letters?endpoint=${id}&error=http_422`)
    await page.shows('dead.letter')

    await press('button', 'Replay')
    await page.shows('It is sent again, from the first attempt.')
    await expect.poll(left).toBe(5)
    const boxes = `[...document.querySelectorAll('td.tick input')]`
    await expect.poll(() => page.evaluate(`${boxes}.length`)).toBe(5)
    for (const at of [0, 1]) {
      await page.evaluate(`${boxes}[${at}].focus()`)
      await page.press('Space')
    }
    await page.shows('Replay the selected (2)')
    // What is selected is in the address, so that it can be shared.
    expect(await address()).toMatch(/selected=dlv_\w+%2Cdlv_\w+$/)
    await press('button', 'Replay the selected (2)')
    await page.shows('2 are sent again')
    await expect.poll(left).toBe(3)

    await press('button', 'Replay all that match')
    await page.shows('3 are sent again')
    await fill('rate', '0.5')
    await press('button', 'Replay them')
    await page.shows('1 of 3 done')
    await press('button', 'Pause')
    await page.shows('The job is paused.')
    await press('button', 'Resume')
    await page.shows('3 of 3 done')
    await press('button', 'Close')
    await page.shows('None is like this')
    await press('a', 'Jobs')
    await page.shows('replay of dead letters')
    await press('a', 'replay of dead letters')
    await page.shows('How far it is')
    expect(await left()).toBe(0)
  },
)

aPageTest(
  'a tenant is made, chosen and deleted; a key is made, rotated and revoked, and its text is shown once',
  async () => {
    await page.open(`${server.url}/dashboard/tenants`)
    await press('button', 'New tenant')
    await fill('name', 'Acme')
    await fill('uid', 'acme')
    await fill('ingest_rate', 'much')
    await press('button', 'Make the tenant')
    await page.shows('ingest_rate has to be a number; it is "much"')
    await fill('ingest_rate', '50')
    await press('button', 'Make the tenant')
    await page.shows('Tenant Acme')
    const tenant = async () => (await server.call('GET', '/v1/tenants?uid=acme')).json.items[0]
    expect(await tenant()).toMatchObject({ name: 'Acme', settings: { ingest_rate: 50 } })

    await page.open(`${server.url}/dashboard/keys?tenant=acme`)
    await page.shows('There is no producer key of this tenant')
    await press('button', 'New producer key')
    await fill('name', 'shop')
    await press('button', 'Make the key')
    await page.shows('It is shown here once and never again')
    await press('button', 'Close')
    const [key] = (await server.call('GET', '/v1/keys?tenant=acme')).json.items
    expect(key).toMatchObject({ name: 'shop', scopes: ['*'], abilities: ['publish'], revoked_at: null })
    await press('button', 'Rotate')
    await page.shows('The key gets another text')
    await press('button', 'Rotate')
    await page.shows('23 h 59 min left')
    await press('button', 'Close')
    await press('button', 'Revoke')
    await page.shows('This cannot be taken back.')
    await press('button', 'Revoke')
    await page.shows('shop is revoked.')
    expect((await server.call('GET', `/v1/keys/${key.id}?tenant=acme`)).json.revoked_at).not.toBeNull()
    // The tenant goes along to other pages.
    await press('a', 'Endpoints')
    await page.shows('There is no endpoint yet')
    expect(await address()).toBe('/dashboard/endpoints?tenant=acme')

    await page.open(`${server.url}/dashboard/tenants/${(await tenant()).id}`)
    await press('button', 'Delete')
    await fill('confirmed', 'acme')
    await press('button', 'Delete it and all that is its own')
    await page.shows('deleting')
  },
)

aPageTest('an operator sees what only an admin may, and why not', async () => {
  const body = { role: 'operator', label: 'on call' }
  const { token } = (await server.call('POST', '/v1/admin-tokens', { body })).json
  await press('button', 'Sign out')
  await signIn(token)
  await page.shows('Sign out')
  await page.open(`${server.url}/dashboard/endpoints`)
  await press('button', 'New endpoint')
  const why = `document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent`
  expect(await page.evaluate(why)).toBe('Needs the role admin; you are signed in as operator.')
  expect(await address()).toBe('/dashboard/endpoints')
  await page.open(`${server.url}/dashboard/keys`)
  await page.shows('Sign in with such a token to see this page.')
})

aPageTest('the choice of a tenant says of which tenants a page is', async () => {
  const chosen = `document.querySelector('header select').selectedOptions[0].textContent`
  await page.open(`${server.url}/dashboard/`)
  await page.shows('Of all tenants together')
  await expect.poll(() => page.evaluate(chosen)).toBe('all tenants')
  await page.open(`${server.url}/dashboard/?tenant=default`)
  await page.shows('Of the tenant default')
  await expect.poll(() => page.evaluate(chosen)).toBe('default')
  await press('a', 'Endpoints')
  await page.shows('New endpoint')
  expect([await page.evaluate(chosen), await address()]).toEqual([
    'default',
    '/dashboard/endpoints?tenant=default',
  ])
})

aPageTest('who has a token of one tenant is told what needs one of all', async () => {
  const body = { role: 'operator', label: 'of one tenant', tenant_id: 'default' }
  const { token } = (await server.call('POST', '/v1/admin-tokens', { body })).json
  await press('button', 'Sign out')
  await signIn(token)
  await page.shows('token of all tenants only')
  await page.open(`${server.url}/dashboard/system`)
  await page.shows('Needs a token of all tenants; you are signed in with one of a single tenant.')
})
