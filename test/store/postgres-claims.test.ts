import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import type { NewEvent } from '../../src/store/port.ts'
import { testedServers } from '../servers/postgres.ts'
import { openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

describe.each(testedServers())('claims, $name', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>
  let harness: PostgresHarness
  let scene: Scene
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    harness = await openPostgresHarness(server)
    scene = await openScene(async () => harness)
  })
  afterEach(() => harness.close())

  describe('that begin at a low-water mark', () => {
    /** One target, whose mark stands behind the first hundred. */
    async function aMarkedBacklog(count: number, payload?: Uint8Array): Promise<readonly string[]> {
      const routes = [await scene.anEndpoint()]
      const events = await scene.publishMany(count, { routes, ...(payload !== undefined && { payload }) })
      await scene.advance(10_000)
      expect(await claimed({ limit: 100 })).toEqual(events.slice(0, 100).map(deliveryOf))
      return events.slice(100).map(deliveryOf)
    }

    const deliveryOf = (event: NewEvent): string => event.deliveries[0]?.id ?? ''
    const claimed = async (options?: Parameters<Scene['claim']>[0]): Promise<readonly string[]> =>
      (await scene.claim(options)).deliveries.map((delivery) => delivery.id)

    /** As if it had been committed only now. */
    async function landBehind(deliveryId: string): Promise<void> {
      await harness.sql('update live_deliveries set due_at = due_at - 5000 where id = $1', [
        Buffer.from(idToBytes(deliveryId)).toString('hex'),
      ])
    }

    it('find what another connection commits behind the mark within a second, beside a backlog', async () => {
      const left = await aMarkedBacklog(200)
      const late = left.at(-1) ?? ''
      await landBehind(late)
      expect(await claimed({ limit: 50 })).toEqual(left.slice(0, 50))
      await scene.advance(1000)
      expect(await claimed({ limit: 1 })).toEqual([late])
    })

    it('find it within a second when nothing else is left', async () => {
      const left = await aMarkedBacklog(150)
      const late = left.at(-1) ?? ''
      await landBehind(late)
      expect(await claimed()).toEqual(left.slice(0, -1))
      await scene.advance(500)
      const { deliveries, nextDueMs } = await scene.claim()
      expect(deliveries).toEqual([])
      expect(nextDueMs).toBeLessThanOrEqual(500)
      await scene.advance(500)
      expect(await claimed()).toEqual([late])
    })

    it('find what a claim saw and had no room for at once', async () => {
      const left = await aMarkedBacklog(150, new Uint8Array(1000))
      expect(await claimed({ maxBytes: 5000 })).toEqual(left.slice(0, 5))
      expect(await claimed()).toEqual(left.slice(5))
    })

    it('find what a claim saw behind the mark and had no room for at once', async () => {
      const left = await aMarkedBacklog(150)
      const late = left.at(-1) ?? ''
      await landBehind(late)
      await scene.advance(1000)
      const first = await scene.publish({ routes: [await scene.anEndpoint()] })
      expect(await claimed({ maxBytes: 1 })).toEqual([first.deliveryId])
      expect(await claimed({ limit: 1 })).toEqual([late])
    })

    it('find what a publish of the last second commits at once', async () => {
      const routes = [await scene.anEndpoint()]
      await scene.publishMany(50, { routes })
      expect(await claimed()).toHaveLength(50)
      const { deliveryId } = await scene.publish({ routes })
      await harness.sql('update live_deliveries set due_at = due_at - 900 where id = $1', [
        Buffer.from(idToBytes(deliveryId)).toString('hex'),
      ])
      expect(await claimed()).toEqual([deliveryId])
    })

    it('find what this or another process gives back or publishes at once', async () => {
      const left = await aMarkedBacklog(150)
      const other = await harness.openNode()
      const { deliveries } = await scene.claim()
      expect(deliveries).toHaveLength(left.length)
      const giveBack = deliveries.slice(0, 2).map(({ id, claimVersion }) => ({
        deliveryId: id,
        claimVersion,
        delayMs: 0,
      }))
      await scene.store.release(giveBack.slice(0, 1))
      await other.release(giveBack.slice(1))
      expect((await claimed()).toSorted()).toEqual(left.slice(0, 2).toSorted())
    })
  })

  describe('whose statements do not wait for each other', () => {
    /** Meanwhile no lease can be written. */
    async function refusing(body: string, work: () => Promise<void>): Promise<void> {
      await harness.sql('create sequence refusals')
      await harness.sql(
        `create function refuse() returns trigger language plpgsql as $$ begin ${body}; return new; end $$`,
      )
      await harness.sql(
        'create trigger refuse before insert on handoffs for each row execute function refuse()',
      )
      await work().finally(async () => {
        await harness.sql('drop trigger refuse on handoffs')
        await harness.sql('drop function refuse')
        await harness.sql('drop sequence refusals')
      })
    }

    it('say which of them failed, and have leased nothing then', async () => {
      const { deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()] })
      await refusing(`raise exception 'there is no lease today'`, async () => {
        await expect(scene.claim()).rejects.toThrow('there is no lease today')
      })
      expect((await scene.claimOne()).id).toBe(deliveryId)
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'in_flight', attemptCount: 0 })
    })

    it('run again as a whole after a deadlock', async () => {
      const { deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()] })
      const once = `if nextval('refusals') = 1 then raise exception 'deadlock' using errcode = '40P01'; end if`
      await refusing(once, async () => {
        const { id, claimVersion } = await scene.claimOne()
        expect([id, claimVersion]).toEqual([deliveryId, 1])
      })
    })

    it('bring payloads of every size, byte for byte, also those that several deliveries share', async () => {
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
      const sizes = [0, 1, 2047, 2048, 2049, 100_000]
      const payloads = new Map<string, Uint8Array>()
      for (const size of sizes) {
        const payload = Uint8Array.from({ length: size }, (_, at) => (at * 37 + size) % 256)
        const { event } = await scene.publish({ routes, payload })
        payloads.set(event.id, payload)
      }
      const { deliveries } = await scene.claim()
      expect(deliveries).toHaveLength(sizes.length * routes.length)
      for (const { eventId, payload } of deliveries) expect(payload).toEqual(payloads.get(eventId))
    })

    it('bring more at once while more is left, and know when it is not', async () => {
      const routes = [await scene.anEndpoint()]
      await scene.publishMany(100, { routes })
      await scene.advance(10_000)
      const looks = []
      for (let look = 0; look < 3; look++) {
        const { deliveries, nextDueMs } = await scene.claim({ limit: 40 })
        looks.push([deliveries.length, nextDueMs === 0])
      }
      expect(looks).toEqual([
        [40, true],
        [40, true],
        [20, false],
      ])
    })
  })
})
