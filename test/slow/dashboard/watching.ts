/** What somebody sees who only looks. */
import { describe, test } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { expectQuiet } from './watched-page.ts'

export function describeWatching(open: OpenBed): void {
  describe('somebody who looks at the overview', () => {
    test('sees an endpoint that is disabled just now, and why, without doing anything', async () => {
      const { signedIn, server, receiver, make } = open()
      await using(await signedIn('viewer'), async (opened) => {
        await opened.page.goto(`${server.url}/dashboard/`)
        await opened.page.getByRole('heading', { name: 'Overview' }).waitFor()
        receiver.answers.set('/gone', { status: 410 })
        const description = 'the shop that is gone'
        await make('POST', '/v1/endpoints', { url: `${receiver.url}/gone`, topics: ['gone'], description })
        await make('POST', '/v1/events', { topic: 'gone', payload: { n: 1 } })
        await opened.page
          .getByText('disabled: the receiver answered 410 Gone')
          .first()
          .waitFor({ timeout: 60_000 })
        expectQuiet(opened, server.url)
      })
    })
  })
}
