/** Pages whose filters match one row in very many: each reads a bounded number of rows, and the next goes on behind it. */
import { beforeAll, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { DeadLetterFilter, DeliveryFilter, EventFilter, Page } from '../../../src/store/port.ts'
import { anOutcome, deadLetter, type EventOptions, type Route, type Scene } from './scene.ts'

/** A store that the test looks into. */
export interface ReadScene extends Scene {
  /** Makes so many more of a row, each younger than the last. */
  multiply(table: 'deliveries' | 'live_deliveries' | 'events', id: string, times: number): Promise<void>
  /** Rows and entries of indexes that the call reads. */
  rowsRead(call: () => Promise<unknown>): Promise<number>
}

const times = 200_000
const limit = 20
/** "A few ten thousand": what is looked at, its events where topics are compared, and what is counted first. */
const mostRead = 60_000

interface Case {
  readonly filter: DeliveryFilter & DeadLetterFilter & EventFilter
  readonly found: readonly string[]
}

export function describeBoundedPages(open: () => ReadScene): void {
  let a: Route
  let b: Route
  let commonAt = 0
  const named = new Map<string, string>()

  async function publish(scene: Scene, topic: string, options: EventOptions): Promise<void> {
    const { event } = await scene.publish({ ...options, topic })
    named.set(event.id, topic)
    event.deliveries.forEach(({ id }, at) => {
      named.set(id, `${topic} ${at}`)
    })
    await scene.advance(1000)
  }

  async function finish(scene: Scene, succeeds = false): Promise<void> {
    const { deliveries } = await scene.claim()
    await scene.record(
      ...deliveries.map((claimed) => anOutcome(claimed, succeeds ? {} : { next: deadLetter })),
    )
    await scene.advance(1000)
  }

  beforeAll(async () => {
    const scene = open()
    a = await scene.anEndpoint()
    b = await scene.anEndpoint()
    await publish(scene, 'rare', { routes: [a, b], metadata: { source: 'shop' }, orderingKey: 'customer-1' })
    await finish(scene)
    await publish(scene, 'kept', { routes: [a] })
    await finish(scene, true)
    await publish(scene, 'waiting', { routes: [b], deliverInMs: 86_400_000 })
    commonAt = scene.now()
    await publish(scene, 'common', { routes: [a] })
    await finish(scene)
    const idOf = (name: string) => [...named].find((entry) => entry[1] === name)?.[0] as string
    await scene.multiply('events', idOf('common'), times)
    await scene.multiply('deliveries', idOf('common 0'), times)
    const another = await scene.anEndpoint({ tenantId: scene.ids.next('ten') })
    await publish(scene, 'other', { routes: [another], deliverInMs: 86_400_000 })
    await scene.multiply('live_deliveries', idOf('other 0'), times)
  }, 120_000)

  async function check<Item>(
    list: (cursor: string | null) => Promise<Page<Item>>,
    idOf: (item: Item) => string,
    found: readonly string[],
  ): Promise<void> {
    const ids: string[] = []
    const read: number[] = []
    let pages = 0
    for (let cursor: string | null = null; cursor !== ''; pages++) {
      const asked: string | null = cursor
      let page: Page<Item> | null = null
      const call = async () => {
        page = await list(asked)
      }
      if (pages < 3) read.push(await open().rowsRead(call))
      else await call()
      const { items, nextCursor } = page as unknown as Page<Item>
      expect(items.length).toBeLessThanOrEqual(limit)
      ids.push(...items.map(idOf))
      cursor = nextCursor
    }
    expect(ids.map((id) => named.get(id) ?? id)).toEqual(found)
    expect(Math.max(...read)).toBeLessThan(mostRead)
    // It gets on: no page looks at a handful.
    expect(pages).toBeLessThan((2 * times) / 5000)
  }

  const deliveryCases: readonly (readonly [string, () => Case])[] = [
    ['a topic', () => ({ filter: { topic: 'rare' }, found: ['rare 1', 'rare 0'] })],
    ['a topic that is none', () => ({ filter: { topic: 'none' }, found: [] })],
    [
      'an error class and a topic',
      () => ({ filter: { errorClass: 'http_500', topic: 'rare' }, found: ['rare 1', 'rare 0'] }),
    ],
    [
      'an error class and an endpoint',
      () => ({ filter: { errorClass: 'http_500', endpointId: b.endpointId }, found: ['rare 1'] }),
    ],
    [
      'a state and an endpoint',
      () => ({ filter: { state: 'dead_lettered', endpointId: b.endpointId }, found: ['rare 1'] }),
    ],
    [
      'a state and a subscription',
      () => ({ filter: { state: 'dead_lettered', subscriptionId: b.subscriptionId }, found: ['rare 1'] }),
    ],
    [
      'a state and a topic',
      () => ({ filter: { state: 'dead_lettered', topic: 'rare' }, found: ['rare 1', 'rare 0'] }),
    ],
    [
      'an endpoint and a topic',
      () => ({ filter: { endpointId: a.endpointId, topic: 'rare' }, found: ['rare 0'] }),
    ],
    [
      'an endpoint and a state',
      () => ({ filter: { endpointId: a.endpointId, state: 'succeeded' }, found: ['kept 0'] }),
    ],
    ['a state that few are in', () => ({ filter: { state: 'succeeded' }, found: ['kept 0'] })],
    [
      'a live state, where another tenant has many',
      () => ({ filter: { state: 'pending' }, found: ['waiting 0'] }),
    ],
    [
      'an endpoint, where another tenant has many live ones',
      () => ({ filter: { endpointId: b.endpointId }, found: ['waiting 0', 'rare 1'] }),
    ],
    ['a time', () => ({ filter: { until: commonAt }, found: ['waiting 0', 'kept 0', 'rare 1', 'rare 0'] })],
  ]
  it.each(deliveryCases)(
    'deliveries of %s',
    async (_, of) => {
      const { filter, found } = of()
      const { store } = open()
      await check(
        (cursor) => store.listDeliveries(defaultTenantId, filter, { limit, cursor }),
        ({ id }) => id,
        found,
      )
    },
    120_000,
  )

  const letterCases: readonly (readonly [string, () => Case])[] = [
    ['a topic', () => ({ filter: { topic: 'rare' }, found: ['rare 1', 'rare 0'] })],
    ['an endpoint', () => ({ filter: { endpointId: b.endpointId }, found: ['rare 1'] })],
    [
      'an error class and a topic',
      () => ({ filter: { errorClass: 'http_500', topic: 'rare' }, found: ['rare 1', 'rare 0'] }),
    ],
    ['a time', () => ({ filter: { until: commonAt }, found: ['rare 1', 'rare 0'] })],
  ]
  it.each(letterCases)(
    'dead letters of %s',
    async (_, of) => {
      const { filter, found } = of()
      const { store } = open()
      await check(
        (cursor) => store.listDeadLetters(defaultTenantId, filter, { limit, cursor }),
        ({ deliveryId }) => deliveryId,
        found,
      )
    },
    120_000,
  )

  it.each([
    ['all', () => ({})],
    ['a topic that few have', () => ({ topic: 'rare' })],
    ['an endpoint', () => ({ endpointId: b.endpointId })],
  ])(
    'the reasons of dead letters of %s',
    async (_, of) => {
      const { store, rowsRead } = open()
      const filter = of()
      const all = Object.keys(filter).length === 0
      const counted = await store.countDeadLetterReasons(defaultTenantId, filter)
      expect(counted.isComplete).toBe(false)
      expect(counted.reasons).toEqual(all ? [{ errorClass: 'http_500', count: 10_000 }] : [])
      const read = await rowsRead(() => store.countDeadLetterReasons(defaultTenantId, filter))
      expect(read).toBeGreaterThan(0)
      expect(read).toBeLessThan(mostRead)
    },
    120_000,
  )

  const eventCases: readonly (readonly [string, () => Case])[] = [
    ['a time', () => ({ filter: { until: commonAt }, found: ['waiting', 'kept', 'rare'] })],
    ['a beginning of the topic', () => ({ filter: { topicPrefix: 'rar' }, found: ['rare'] })],
    ['an ordering key', () => ({ filter: { orderingKey: 'customer-1' }, found: ['rare'] })],
    ['metadata', () => ({ filter: { metadata: { source: 'shop' } }, found: ['rare'] })],
    ['metadata that none has', () => ({ filter: { metadata: { source: 'none' } }, found: [] })],
    ['a topic and metadata', () => ({ filter: { topic: 'common', metadata: { a: 'b' } }, found: [] })],
    ['a state of its deliveries', () => ({ filter: { deliveryState: 'succeeded' }, found: ['kept'] })],
    ['a live state of its deliveries', () => ({ filter: { deliveryState: 'pending' }, found: ['waiting'] })],
    [
      'a state of its deliveries and a topic',
      () => ({ filter: { topic: 'common', deliveryState: 'cancelled' }, found: [] }),
    ],
  ]
  it.each(eventCases)(
    'events of %s, each page of which says how far back it has looked',
    async (_, of) => {
      const { filter, found } = of()
      const { store } = open()
      let before = Number.POSITIVE_INFINITY
      const list = async (cursor: string | null) => {
        const page = await store.listEvents(defaultTenantId, filter, { limit, cursor })
        if (page.nextCursor === '') expect(page.searchedUntil).toBeNull()
        else {
          expect(page.searchedUntil).toBeLessThanOrEqual(before)
          before = page.searchedUntil ?? before
        }
        return page
      }
      await check(list, ({ id }) => id, found)
      expect(before < Number.POSITIVE_INFINITY || found.length > 0).toBe(true)
    },
    120_000,
  )
}
