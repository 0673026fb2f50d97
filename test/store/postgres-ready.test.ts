import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { armed, freshFrom, readyFor, waitingFrom } from '../../src/core/claim/ready-row.ts'
import { testedServers } from '../servers/postgres.ts'
import { openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

/** Publishers and releases arm in SQL, in the statement that writes the delivery: it must say what the rule says. */
describe.each(testedServers())('a ready row is armed as the rule says, $name', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>
  let harness: PostgresHarness
  let scene: Scene
  beforeAll(async () => {
    server = await start()
    harness = await openPostgresHarness(server)
    scene = await openScene(async () => harness)
  })
  afterAll(async () => {
    await harness?.close()
    await server?.stop()
  })

  const readyRow = async (): Promise<number | null> => {
    const [row] = await harness.sql<{ next_at: string }>('select next_at from ready_endpoints')
    return row === undefined ? null : Number(row.next_at)
  }
  const someStanding = fc.option(
    fc
      .integer({ min: -500, max: 500 })
      .chain((offset) => fc.constantFrom(waitingFrom(scene.now() + offset), freshFrom(scene.now() + offset))),
  )

  it('by a publish, and by a lease that is given back', async () => {
    const route = await scene.anEndpoint()
    const setReady = async (standing: number | null): Promise<void> => {
      if (standing === null) await harness.sql('delete from ready_endpoints')
      else await harness.sql('update ready_endpoints set next_at = $1', [standing])
    }
    await scene.publish({ routes: [route] })
    await fc.assert(
      fc.asyncProperty(someStanding, someStanding, fc.nat(500), async (before, then, delayMs) => {
        const now = scene.now()
        await scene.publish({ routes: [route] })
        await setReady(before)
        await scene.publish({ routes: [route] })
        const isNew = { now, dueAt: now, isNew: true, blockedUntil: 0 }
        expect(await readyRow()).toBe(armed(before, readyFor(isNew), now))
        await setReady(freshFrom(now))
        const { deliveries } = await scene.claim({ limit: 1 })
        await scene.publish({ routes: [route] })
        await setReady(then)
        await scene.store.release(
          deliveries.map(({ id, claimVersion }) => ({ deliveryId: id, claimVersion, delayMs })),
        )
        const isBack = { now, dueAt: now + delayMs, isNew: false, blockedUntil: 0 }
        expect(await readyRow()).toBe(armed(then, readyFor(isBack), now))
      }),
      { numRuns: 60 },
    )
  })
})
