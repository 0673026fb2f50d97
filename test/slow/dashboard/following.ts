/** An event followed through the dashboard: published, seen as it comes, found to have failed, understood and sent again. */
import { describe, expect, test, vi } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { press } from './mending.ts'
import { expectQuiet } from './watched-page.ts'

export function describeFollowing(open: OpenBed): void {
  describe('an event in the dashboard', () => {
    test('is seen by somebody else as it comes, and not while that one has paused', async () => {
      const { signedIn, server, make } = open()
      await using(await signedIn('viewer'), async (watching) => {
        const live = watching.page.getByRole('region', { name: 'As they come' }).first()
        await watching.page.goto(`${server.url}/dashboard/events?topic=followed.live`)
        await live.getByText('Live: whatever is published').waitFor()
        await using(await signedIn('operator'), async (opened) => {
          const { page } = opened
          await page.goto(`${server.url}/dashboard/events`)
          await press(page, 'Publish a test event')
          const dialog = page.getByRole('dialog')
          await dialog.getByLabel('Topic').fill('followed.live')
          await dialog.getByLabel('Payload').fill('{"n": 1')
          await dialog.getByText('Not JSON yet: ').waitFor()
          await dialog.getByLabel('Payload').fill('{"n": 1}')
          await dialog.getByText('This is JSON.').waitFor()
          await dialog.getByLabel('Metadata').fill('source: a person')
          await press(page, 'Publish')
          await page.getByText('was published, with 0 deliveries').waitFor()
          await live.getByRole('link', { name: 'followed.live' }).waitFor()

          await press(watching.page, 'Pause')
          await live.getByText('Paused').waitFor()
          const second = await make('POST', '/v1/events', { topic: 'followed.live', payload: 2 })
          await make('POST', '/v1/events', { topic: 'another.one', payload: 3 })
          // The list below has it, and the tail has not.
          const list = watching.page.getByRole('region', { name: 'Events', exact: true })
          await list.getByText(second.id).waitFor()
          expect(await live.getByRole('link').count()).toBe(1)
          await press(watching.page, 'Go on')
          await live.getByText('Live: whatever is published').waitFor()
          await make('POST', '/v1/events', { topic: 'followed.live', payload: 4 })
          await vi.waitFor(async () => expect(await live.getByRole('link').count()).toBe(2), {
            timeout: 60_000,
          })
          expectQuiet(opened, server.url)
        })
        expectQuiet(watching, server.url)
      })
    })

    test('failed to arrive: its delivery says why and what to do, and is sent again', async () => {
      const { signedIn, server, make, receiver } = open()
      receiver.answers.set('/followed', {
        status: 422,
        body: '{"error":{"code":"no_such_order"}}',
        headers: { 'content-type': 'application/json', 'x-answered-by': 'shop-3' },
      })
      const topics = ['followed.failed']
      await make('POST', '/v1/endpoints', { url: `${receiver.url}/followed`, topics })
      const event = await make('POST', '/v1/events', { topic: 'followed.failed', payload: { order: 'o_1' } })
      await using(await signedIn('operator'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/events`)
        await page.getByLabel('Id', { exact: true }).fill(event.id)
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { name: 'Event followed.failed' }).waitFor()
        await page.getByText('"order": "o_1"').waitFor()
        await page.getByText('given up').waitFor()
        await page.getByRole('region', { name: 'Deliveries' }).getByRole('link').first().click()
        await page.getByText('It was given up after one attempt.').waitFor()
        await page.getByText('does not accept what it says').first().waitFor()
        await page.getByText('compare the payload with what it expects').first().waitFor()
        await page.getByText('x-answered-by: shop-3').waitFor()
        await page.getByText('outhook-topic: followed.failed').first().waitFor()
        await page.getByText('Rebuilt: what was sent is not kept').waitFor()
        await page.getByText('"code": "no_such_order"').waitFor()

        receiver.answers.delete('/followed')
        await press(page, 'Replay')
        await page.getByText('It arrived: the receiver answered 200').waitFor()
        expect(await page.getByText('Attempt 1').count()).toBe(2)
        expectQuiet(opened, server.url)
      })
    })

    test('has a payload that is shown as it is, downloaded byte for byte, and said to be gone when it is', async () => {
      const { signedIn, server, make } = open()
      const event = { topic: 'followed.payload', payload: { n: 'é' }, idempotency_key: 'nobody-sees-this' }
      const { id } = await make('POST', '/v1/events', event)
      await using(await signedIn('viewer'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/events/${id}`)
        await page.locator('dt:text-is("Idempotency key") + dd:text-is("given")').waitFor()
        expect(await page.content()).not.toContain(event.idempotency_key)
        await press(page, 'Raw')
        await page.getByText('{"n":"é"}', { exact: true }).waitFor()
        await press(page, 'Exact bytes')
        await page.getByText('7b 22 6e 22 3a 22 c3 a9 22 7d').waitFor()
        expect(page.url()).toContain('payload=bytes')
        const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')])
        const chunks: Buffer[] = []
        for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
        expect(Buffer.concat(chunks).toString()).toBe('{"n":"é"}')
        expect(await page.getByText('YOUR_PRODUCER_KEY').count()).toBeGreaterThan(0)
        await make('DELETE', `/v1/events/${id}/payload`)
        await page.reload()
        await page.getByText('Expunged: ').waitFor()
        expectQuiet(opened, server.url)
      })
    })

    test('can be sent again, cancelled and back-filled by nobody whose role may not', async () => {
      const { signedIn, server, make, receiver } = open()
      const endpoint = await make('POST', '/v1/endpoints', {
        url: `${receiver.url}/x`,
        topics: ['followed.held'],
      })
      await make('POST', `/v1/endpoints/${endpoint.id}/pause`)
      const event = await make('POST', '/v1/events', {
        topic: 'followed.held',
        payload: 1,
        ordering_key: 'k',
      })
      const [delivery] = event.delivery_ids
      await using(await signedIn('viewer'), async (opened) => {
        const { page } = opened
        for (const [path, names] of [
          ['events', ['Publish a test event']],
          [`events/${event.id}`, ['Back-fill']],
          [`deliveries/${delivery}`, ['Resend', 'Cancel', 'Skip']],
        ] as const) {
          await page.goto(`${server.url}/dashboard/${path}`)
          for (const name of names) {
            const button = page.getByRole('button', { name, exact: true })
            await button.focus()
            const reason = page.locator(`[id="${await button.getAttribute('aria-describedby')}"]`)
            expect(await reason.innerText()).toContain('you are signed in as viewer')
          }
        }
        expectQuiet(opened, server.url)
      })
      await using(await signedIn('operator'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/deliveries/${delivery}`)
        await page.getByText('It waits for its first attempt, and its endpoint is paused.').waitFor()
        await press(page, 'Cancel')
        await page.getByText('It was cancelled and is not sent any more').waitFor()
        expect((await make('GET', `/v1/deliveries/${delivery}`)).state).toBe('cancelled')
        expectQuiet(opened, server.url)
      })
    })
  })
}
