/** Texts that somebody has planted in everything that the API takes: on no page of the dashboard does one of them run. */
import { expect, test } from 'vitest'
import { type OpenBed, using } from './bed.ts'
import { type Furniture, furnish, type Texts } from './furnish.ts'
import { findForeignElements, goTo, readText, settled, unfold } from './in-page.mjs'
import { pageAddresses } from './pages.ts'
import { plantedText, plantedTexts } from './planted-texts.ts'
import { expectQuiet } from './watched-page.ts'

/** A header's value; a topic has no spaces either, and a slash does as well. */
export const inHeader = (text: string) => text.replace(/[^ -~]/g, '?').trim()
export const inTopic = (text: string) => text.replaceAll(' ', '/').replaceAll('*', '')

function textsOf(number: number): Texts {
  const text = plantedText(number)
  return {
    topic: inTopic(text),
    description: text,
    header: inHeader(text),
    payload: text,
    metadata: text.trim(),
    orderingKey: text,
    answer: text,
    answerHeader: inHeader(text),
    tenantName: text,
    keyName: text,
    reason: text,
    credentialName: text.trim(),
  }
}

/** Those that show what somebody has written. */
const pagesWithTexts = [
  ...[
    'overview',
    'events',
    'event',
    'delivery',
    'endpoints',
    'endpoint',
    'endpoint-edit',
    'dead-letters',
    'job',
  ],
  ...['subscriptions', 'subscription', 'ordered-keys', 'event-types', 'event-type'],
  ...['tenants', 'tenant', 'keys', 'admin-tokens', 'audit'],
]

export function describePlanting(open: OpenBed): void {
  test('texts that would run in a careless page run on no page of the dashboard, and break its policy nowhere', async () => {
    const { server, signedIn } = open()
    expect(plantedTexts.length).toBeGreaterThan(30)
    const made: Furniture[] = await Promise.all(
      plantedTexts.map((_, number) => furnish(open(), textsOf(number))),
    )
    await using(await signedIn('admin'), async (opened) => {
      const { page } = opened
      await page.goto(`${server.url}/dashboard/`)
      await page.getByRole('button', { name: 'Sign out' }).waitFor()
      const shown = new Map<string, number>()
      for (const { name, path } of pageAddresses) {
        for (const address of new Set(made.map(path))) {
          await page.evaluate(goTo, `${server.url}/dashboard/${address}`)
          await page.evaluate(settled)
          await page.evaluate(unfold)
          const planted = (await page.evaluate(readText)).split('planted(').length - 1
          shown.set(name, (shown.get(name) ?? 0) + planted)
          expect([name, address, await page.evaluate(findForeignElements)]).toEqual([name, address, []])
          expect([name, address, opened.ran, opened.complaints]).toEqual([name, address, [], []])
        }
      }
      // The texts were there, as texts.
      const isFilled = [...shown].filter(([, count]) => count > 0).map(([name]) => name)
      expect(isFilled).toEqual(expect.arrayContaining(pagesWithTexts))
      // Of an event its topic, payload, metadata and ordering key; of a delivery what was answered besides.
      for (const name of ['event', 'delivery'])
        expect(shown.get(name)).toBeGreaterThan(5 * plantedTexts.length)
      expectQuiet(opened, server.url)
    })
  })
}
