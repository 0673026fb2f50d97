/** What an operator does about endpoints, with the keyboard alone. */
import { describe, expect, test, vi } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { expectQuiet, type WatchedContext } from './watched-page.ts'

type Page = WatchedContext['page']

/** As the keyboard does it: focus and Enter. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  const button = page.getByRole('button', { name, exact: true }).last()
  await button.focus()
  await page.keyboard.press('Enter')
}

export function describeMending(open: OpenBed): void {
  const anEndpoint = async (topic: string, more: object = {}) => {
    const { make, receiver } = open()
    return make('POST', '/v1/endpoints', { url: `${receiver.url}/${topic}`, topics: [topic], ...more })
  }
  const deliveriesOf = async (endpoint: { readonly id: string }, state: string) => {
    const { items } = await open().make('GET', `/v1/deliveries?endpoint_id=${endpoint.id}&state=${state}`)
    return items as readonly { readonly id: string }[]
  }

  describe('an endpoint in the dashboard', () => {
    test('is disabled, and enabled again with what waited for it, or without', async () => {
      const { signedIn, server, make } = open()
      for (const [backlog, arrives] of [
        ['deliver', true],
        ['skip', false],
      ] as const) {
        const topic = `waits.${backlog}`
        const endpoint = await anEndpoint(topic)
        await using(await signedIn('admin'), async (opened) => {
          const { page } = opened
          await page.goto(`${server.url}/dashboard/endpoints/${endpoint.id}`)
          await press(page, 'Disable')
          await page.getByRole('dialog', { name: 'Disable the endpoint' }).waitFor()
          await press(page, 'Disable')
          await page.getByRole('dialog').waitFor({ state: 'detached' })
          for (let n = 0; n < 3; n++) await make('POST', '/v1/events', { topic, payload: { n } })
          await press(page, 'Enable')
          await page.getByText('Deliveries that wait for it: 3').waitFor()
          await page.getByLabel('What becomes of them').selectOption(backlog)
          await press(page, 'Enable')
          await page.getByRole('dialog').waitFor({ state: 'detached' })
          await vi.waitFor(
            async () =>
              expect(await deliveriesOf(endpoint, arrives ? 'succeeded' : 'cancelled')).toHaveLength(3),
            { timeout: 120_000 },
          )
          expect((await make('GET', `/v1/endpoints/${endpoint.id}`)).state).toBe('active')
          expectQuiet(opened, server.url)
        })
      }
    })

    test('is subscribed to event types of the catalogue, and to patterns, with the keyboard alone', async () => {
      const { signedIn, server, make } = open()
      const endpoint = await anEndpoint('chosen.before')
      for (const name of ['chosen.created', 'chosen.ended']) await make('POST', '/v1/event-types', { name })
      await make('POST', '/v1/event-types', { name: 'chosen.never', deprecated: true })
      await using(await signedIn('admin'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/subscriptions/new?endpoint=${endpoint.id}`)
        const choice = page.getByLabel('Event type of the catalogue')
        await choice.focus()
        const offered = await page
          .locator('datalist option')
          .evaluateAll((all) => all.map((one) => one.value))
        expect(offered).toEqual(expect.arrayContaining(['chosen.created', 'chosen.ended']))
        expect(offered).not.toContain('chosen.never')
        for (const name of ['chosen.created', 'chosen.ended', 'chosen.created']) {
          await page.keyboard.type(name)
          await page.keyboard.press('Enter')
        }
        await page.getByLabel('Topics', { exact: true }).focus()
        await page.keyboard.press('Control+End')
        await page.keyboard.press('Enter')
        await page.keyboard.type('others.*')
        await press(page, 'Make the subscription')
        await page.getByRole('heading', { name: 'Subscription chosen.created' }).waitFor()
        expectQuiet(opened, server.url)
      })
      const { items } = await make('GET', `/v1/subscriptions?endpoint_id=${endpoint.id}`)
      const chosen = items.map((each: { topic_patterns: string[] }) => each.topic_patterns.join())
      expect(chosen).toContain('chosen.created,chosen.ended,others.*')
    })

    test('gets another secret: the old one signs beside it until a clock that is shown is over', async () => {
      const { signedIn, server, make } = open()
      const endpoint = await anEndpoint('rotated')
      await using(await signedIn('admin'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/endpoints/${endpoint.id}`)
        await press(page, 'Rotate the secret')
        await page.getByLabel('Overlap').fill('2h')
        await press(page, 'Rotate')
        await page
          .getByText(/whsec_/)
          .first()
          .waitFor()
        const shown = await page.getByRole('dialog').innerText()
        await press(page, 'Close')
        await page.getByRole('progressbar').first().waitFor()
        const { items } = await make('GET', `/v1/endpoints/${endpoint.id}/secrets`)
        expect(items).toHaveLength(2)
        const newest = items.find((one: { readonly expires_at: string | null }) => one.expires_at === null)
        const reveal = `/v1/endpoints/${endpoint.id}/secrets/${newest.id}/reveal`
        expect(shown).toContain((await make('POST', reveal)).secret)
        expectQuiet(opened, server.url)
      })
    })

    test('can be changed by nobody whose role may not: the buttons say why', async () => {
      const { signedIn, server } = open()
      const endpoint = await anEndpoint('looked.at')
      for (const [role, may, mayNot] of [
        ['viewer', [], ['Edit', 'Pause', 'Disable', 'Delete', 'Rotate the secret']],
        ['operator', ['Pause'], ['Edit', 'Disable', 'Delete', 'Rotate the secret']],
        ['admin', ['Edit', 'Pause', 'Disable', 'Delete', 'Rotate the secret'], []],
      ] as const) {
        await using(await signedIn(role), async (opened) => {
          const { page } = opened
          await page.goto(`${server.url}/dashboard/endpoints/${endpoint.id}`)
          for (const name of may) {
            const button = page.getByRole('button', { name, exact: true })
            expect(await button.getAttribute('aria-disabled')).not.toBe('true')
          }
          for (const name of mayNot) {
            const button = page.getByRole('button', { name, exact: true })
            await button.focus()
            expect(await button.getAttribute('aria-disabled')).toBe('true')
            const reason = page.locator(`[id="${await button.getAttribute('aria-describedby')}"]`)
            expect(await reason.innerText()).toMatch(new RegExp(`role .*you are signed in as ${role}`))
            expect(await reason.isVisible()).toBe(true)
            await page.keyboard.press('Enter')
          }
          expect(await page.getByRole('dialog').count()).toBe(0)
          expectQuiet(opened, server.url)
        })
      }
    })
  })
}
