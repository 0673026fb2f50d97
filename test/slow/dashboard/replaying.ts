/** A thousand dead letters, sent again by somebody who watches. */
import { describe, expect, test, vi } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { press } from './mending.ts'
import { expectQuiet } from './watched-page.ts'

const count = 1000
const topic = 'invoices.lost'

export function describeReplaying(open: OpenBed): void {
  describe('dead letters in the dashboard', () => {
    test('are replayed by the thousand, all that a filter matches and no other, with their progress in sight', async () => {
      const { signedIn, server, make, receiver } = open()
      const refuses = { status: 422, body: 'not today' }
      for (const path of ['/lost', '/other']) receiver.answers.set(path, refuses)
      await make('POST', '/v1/endpoints', {
        url: `${receiver.url}/lost`,
        topics: [topic],
        max_in_flight: 200,
      })
      await make('POST', '/v1/endpoints', { url: `${receiver.url}/other`, topics: ['invoices.other'] })
      await make('POST', '/v1/events', { topic: 'invoices.other', payload: 1 })
      for (let at = 0; at < count; at += 100) {
        const events = Array.from({ length: 100 }, (_, n) => ({ topic, payload: { n: at + n } }))
        await make('POST', '/v1/events/batch', { events })
      }
      const dead = async (of: string) => {
        const { reasons } = await make('GET', `/v1/dlq/reasons?topic=${of}`)
        return reasons.reduce((sum: number, reason: { readonly count: number }) => sum + reason.count, 0)
      }
      const allDead = async () =>
        expect([await dead(topic), await dead('invoices.other')]).toEqual([count, 1])
      await vi.waitFor(allDead, { timeout: 300_000, interval: 250 })
      receiver.answers.delete('/lost')
      const before = receiver.received.filter((path) => path === '/lost').length

      await using(await signedIn('operator'), async (opened) => {
        const { page } = opened
        await page.goto(`${server.url}/dashboard/dead-letters`)
        await page.getByRole('searchbox', { name: 'Topic' }).fill(topic)
        await page.keyboard.press('Enter')
        await vi.waitFor(() => expect(page.url()).toContain(`topic=${topic}`))
        await press(page, 'Replay all that match')
        await page.getByText(`${count} are sent again, from the first attempt.`).waitFor()
        await page.getByLabel('Deliveries a second at most').fill('300')
        await press(page, 'Replay them')
        // It is seen on its way, and at its end.
        await page.getByText(new RegExp(`^[1-9]\\d{0,2} of ${count} done`)).waitFor()
        await page.getByText(`${count} of ${count} done`).waitFor()
        await press(page, 'Close')
        await page.getByText('None is like this.').waitFor()
        expectQuiet(opened, server.url)
      })
      const arrived = () => receiver.received.filter((path) => path === '/lost').length - before
      await vi.waitFor(() => expect(arrived()).toBe(count), { timeout: 120_000 })
      expect(await dead('invoices.other')).toBe(1)
    })
  })
}
