import { expect, test } from 'vitest'
import { RoutingReload } from '../../src/delivery/routing-reload.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

/** On routing whose loads take so long. */
function aReload({ loadMs = 1, fault = null as Error | null } = {}) {
  const clock = createManualClock()
  const startedAt = clock.elapsed()
  const loads: (readonly [tenantId: string, at: number])[] = []
  const routing = {
    async get(tenantId: string): Promise<never> {
      loads.push([tenantId, clock.elapsed() - startedAt])
      await new Promise<void>((resolve) => void clock.schedule(loadMs, resolve))
      if (fault !== null) throw fault
      return undefined as never
    },
  }
  return { reload: new RoutingReload({ routing, clock }), clock, loads }
}

test('many changes of a tenant in a row make one load, once they are over', async () => {
  const { reload, clock, loads } = aReload()
  for (let change = 0; change < 10; change++) {
    reload.changed('a')
    await clock.advance(100)
  }
  reload.changed('b')
  expect(loads).toEqual([])
  await clock.advance(1000)
  expect(loads).toEqual([
    ['a', 1150],
    ['b', 1250],
  ])
})

test('loads that take long are made seldom, however often the tenant changes', async () => {
  const { reload, clock, loads } = aReload({ loadMs: 400 })
  for (let second = 0; second < 40; second++) {
    reload.changed('a')
    await clock.advance(1000)
  }
  expect(loads.length).toBeGreaterThanOrEqual(4)
  expect(loads.length * 400).toBeLessThanOrEqual(0.06 * 40_000)
})

test('a load that fails is nobody’s failure, and the next change makes another', async () => {
  const { reload, clock, loads } = aReload({ fault: new Error('the store is away') })
  reload.changed('a')
  await clock.advance(1000)
  reload.changed('a')
  await clock.advance(1000)
  expect(loads).toHaveLength(2)
})

test('nothing is loaded after the end', async () => {
  const { reload, clock, loads } = aReload()
  reload.changed('a')
  reload.stop()
  reload.changed('b')
  await clock.advance(1000)
  expect(loads).toEqual([])
})
