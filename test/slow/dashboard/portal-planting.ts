/** Texts that somebody has planted in what the portal shows: on none of its pages does one of them run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { plainPortal, readLogo } from '../../../src/api/portal-page.ts'
import { portalAbilities } from '../../../src/core/portal.ts'
import { aServer } from '../../api/a-server.ts'
import { using } from './bed.ts'
import { findForeignElements, goTo, readText, settled, unfold } from './in-page.mjs'
import { plantedText, plantedTexts } from './planted-texts.ts'
import { inHeader, inTopic } from './planting.ts'
import type { PortalBed } from './portal-bed.ts'
import { expectQuiet, openContext, type WatchedContext } from './watched-page.ts'

type Page = WatchedContext['page']

interface PlantedTenant {
  /** Of a link, with the name that the portal is to have. */
  readonly url: string
  readonly endpoint: string
  readonly delivery: string
}

async function plant({ make, receiver }: PortalBed, number: number): Promise<PlantedTenant> {
  const text = plantedText(number)
  const uid = `planted-${number}`
  const at = (path: string) => `${path}?tenant=${uid}`
  const { id } = await make('POST', '/v1/tenants', { uid, name: text })
  const topic = inTopic(text)
  await make('POST', at('/v1/event-types'), {
    name: topic,
    group: text.trim(),
    description: text,
    schema: { title: text, properties: { [text]: { description: text } } },
    example: { [text]: text },
  })
  const path = `/planted/${number}`
  receiver.answers.set(path, { status: 422, body: text, headers: { 'x-answer': inHeader(text) } })
  const endpoint = await make('POST', at('/v1/endpoints'), {
    url: receiver.url + path,
    topics: [topic],
    description: text,
    headers: { 'x-region': inHeader(text) },
  })
  const event = await make('POST', at('/v1/events'), {
    topic,
    payload: { [text]: text },
    metadata: { source: text.trim() },
    ordering_key: text,
  })
  const dead = `/v1/deliveries?tenant=${uid}&event_id=${event.id}&state=dead_lettered`
  const delivery = await vi.waitFor(
    async () => {
      const [found] = (await make('GET', dead)).items
      if (found === undefined) throw new Error('nothing is dead yet')
      return found
    },
    { timeout: 60_000 },
  )
  const body = { abilities: portalAbilities, label: text.trim() }
  const url = new URL((await make('POST', `/v1/tenants/${id}/portal-links`, body)).url)
  url.searchParams.set('name', text)
  return { url: url.href, endpoint: endpoint.id, delivery: delivery.id }
}

/** Each looks at its share: a page is waited for, not worked on. */
const browsers = 4

/** How many of the texts each page has shown, as texts. */
type Shown = Map<string, number>

async function look(page: Page, tenant: PlantedTenant, { base, shown }: { base: string; shown: Shown }) {
  const { url, endpoint, delivery } = tenant
  // Of another address each time: it would else be taken for the same page.
  await page.goto('about:blank')
  await page.goto(url)
  for (const [name, path] of [
    ['endpoints', ''],
    ['new endpoint', 'endpoints/new'],
    ['endpoint', `endpoints/${endpoint}`],
    ['deliveries', 'deliveries'],
    ['delivery', `deliveries/${delivery}`],
    ['activity', 'activity'],
  ] as const) {
    await page.evaluate(goTo, `${base}/portal/${path}`)
    await page.evaluate(settled)
    // What has to be chosen first, and what is folded.
    if (name === 'new endpoint') await page.getByLabel('All events').uncheck()
    await page.evaluate(unfold)
    const planted = (await page.evaluate(readText)).split('planted(').length - 1
    shown.set(name, (shown.get(name) ?? 0) + planted)
    expect([name, url, await page.evaluate(findForeignElements)]).toEqual([name, url, []])
  }
}

export function describePortalPlanting(open: () => PortalBed): void {
  test('texts that would run in a careless page run on no page of the portal, and break its policy nowhere', async () => {
    const { server, browser } = open()
    const made = await Promise.all(plantedTexts.map((_, number) => plant(open(), number)))
    const shown: Shown = new Map()
    const shares = Array.from({ length: browsers }, (_, at) => made.filter((_one, n) => n % browsers === at))
    await Promise.all(
      shares.map(async (share) =>
        using(await openContext(browser), async (opened) => {
          for (const tenant of share) {
            await look(opened.page, tenant, { base: server.url, shown })
            expect([tenant.url, opened.ran, opened.complaints]).toEqual([tenant.url, [], []])
          }
          expectQuiet(opened, server.url)
        }),
      ),
    )
    // One of them is the name at the top of each page, if it is short enough for a name.
    for (const [name, count] of shown) {
      expect([name, count > plantedTexts.length * 0.9]).toEqual([name, true])
    }
    expect(shown.get('delivery')).toBeGreaterThan(plantedTexts.length * 4)
    expect(shown.get('new endpoint')).toBeGreaterThan(plantedTexts.length * 3)
  }, 600_000)

  test('nor does what stands in the settings of the portal, its name and its logo', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'outhook-planted-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const logo = join(folder, 'logo.svg')
    const svg = 'xmlns="http://www.w3.org/2000/svg" width="9" height="9"'
    writeFileSync(
      logo,
      `<svg ${svg} onload="planted(1)"><script>planted(2)</script><rect width="9" height="9"/></svg>`,
    )
    for (const name of [plantedTexts.join(' ').replaceAll('#', '3'), '"><script>planted(4)</script>']) {
      const server = await aServer({ portal: { ...plainPortal, name, logo: readLogo(logo) } })
      const tenant = (await server.call('POST', '/v1/tenants', { body: {} })).json
      const { url } = (await server.call('POST', `/v1/tenants/${tenant.id}/portal-links`, { body: {} })).json
      await using(await openContext(open().browser), async (opened) => {
        const { page } = opened
        await page.goto(url)
        await page.evaluate(settled)
        expect(await page.locator('img.logo').count()).toBe(1)
        expect(await page.evaluate(findForeignElements)).toEqual([])
        await page.goto(`${server.url}/portal/logo`)
        await page.locator('rect').waitFor()
        expect(opened.ran).toEqual([])
        // The policy of the picture itself keeps its scripts out, and says so.
        expect(opened.complaints.filter((one) => !/script|inline|logo/i.test(one))).toEqual([])
      })
    }
  })
}
