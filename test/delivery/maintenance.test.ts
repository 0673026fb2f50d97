import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { Maintenance } from '../../src/delivery/maintenance.ts'
import { nothingRemoved } from '../../src/store/retention.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function aMaintenance() {
  const clock = createManualClock()
  const calls: string[] = []
  const told: unknown[] = []
  const state = {
    armed: 0,
    slices: 0,
    statFolds: 0,
    wakes: 0,
    removals: 0,
    removalMs: 0,
    quiet: false,
    fault: null as Error | null,
  }
  const job = (name: string) => async () => {
    calls.push(name)
    if (state.fault !== null) throw state.fault
    return { more: state.slices-- > 0 }
  }
  const maintenance = new Maintenance({
    clock,
    logger: silentLogger,
    activity: { tell: (name, about) => void told.push([name, about]) },
    retention: { payloadsMs: 1, attemptsMs: 2, eventsMs: 3, deadLettersMs: 4, jobsMs: 5 },
    auditRetentionMs: 6,
    onDueWork: () => state.wakes++,
    isQuiet: () => state.quiet,
    store: {
      pace: { maintenance: { targets: 200, rows: 1000, retentionRows: 500, statRows: 100 } },
      async reconcileReady() {
        calls.push('reconcile')
        if (state.fault !== null) throw state.fault
        return { armed: state.armed }
      },
      applyConfigChanges: job('apply'),
      deleteExpiredIdempotencyKeys: job('expire'),
      foldCounts: job('fold'),
      removeAuditLines: ({ retainMs, limit }) => job(`audit ${retainMs} ${limit}`)(),
      async foldStats() {
        state.statFolds++
        return { more: false }
      },
      async removeExpired({ retention, limit }) {
        calls.push(`remove ${JSON.stringify(retention)} ${limit}`)
        await new Promise<void>((resolve) => clock.schedule(state.removalMs, resolve))
        return { removed: nothingRemoved, more: state.removals-- > 0 }
      },
    },
  })
  return { clock, calls, told, state, maintenance }
}

test('looks for forgotten work in small slices, and cleans up every minute', async () => {
  const { clock, calls, state, maintenance } = aMaintenance()
  maintenance.start()
  await clock.advance(60_000)
  const count = (name: string) => calls.filter((call) => call === name).length
  expect(['reconcile', 'apply', 'expire', 'fold', 'audit 6 1000'].map(count)).toEqual([150, 30, 1, 1, 1])
  // With every thirteenth look, so that an idle process is woken for nothing of its own.
  expect(state.statFolds).toBe(11)
  await maintenance.stop()
})

test('looks every two seconds for forgotten work and changes, both at once, while the node delivers nothing', async () => {
  const { clock, calls, state, maintenance } = aMaintenance()
  state.quiet = true
  maintenance.start()
  await clock.advance(1999)
  expect(calls).toEqual([])
  await clock.advance(1)
  expect(calls).toEqual(['apply', 'reconcile'])
  await clock.advance(18_000)
  expect(calls).toHaveLength(20)
  state.quiet = false
  await clock.advance(2400)
  expect(calls.slice(20)).toEqual(['apply', 'reconcile', 'reconcile'])
  await maintenance.stop()
})

test('tells of due work only when it found some', async () => {
  const { clock, told, state, maintenance } = aMaintenance()
  maintenance.start()
  await clock.advance(400)
  expect(state.wakes).toBe(0)
  expect(told).toEqual([])
  state.armed = 1
  await clock.advance(400)
  expect(state.wakes).toBe(1)
  expect(told).toEqual([['targetsRepaired', { count: 1 }]])
  await maintenance.stop()
})

test('goes on in slices until nothing is left', async () => {
  const { clock, calls, state, maintenance } = aMaintenance()
  state.slices = 3
  maintenance.applyChangesSoon()
  await clock.advance(0)
  expect(calls).toEqual(['apply', 'apply', 'apply', 'apply'])
  expect(state.wakes).toBeGreaterThan(0)
  await maintenance.stop()
})

test('retention works in slices and pauses after each for as long as it took', async () => {
  const { clock, calls, told, state, maintenance } = aMaintenance()
  maintenance.start()
  await clock.advance(59_999)
  state.removalMs = 40
  state.removals = 2
  const removals = () => calls.filter((call) => call.startsWith('remove'))
  await clock.advance(1)
  expect(removals()).toEqual([
    'remove {"payloadsMs":1,"attemptsMs":2,"eventsMs":3,"deadLettersMs":4,"jobsMs":5} 500',
  ])
  await clock.advance(79)
  expect(removals()).toHaveLength(1)
  await clock.advance(1)
  expect(removals()).toHaveLength(2)
  expect(told).toEqual([])
  await clock.advance(1000)
  expect(removals()).toHaveLength(3)
  expect(told).toEqual([['retentionRun', { removed: nothingRemoved, elapsedMs: 200 }]])
  await maintenance.stop()
})

test('a stop does not wait for the pause between two slices', async () => {
  const { clock, calls, state, maintenance } = aMaintenance()
  maintenance.start()
  await clock.advance(59_999)
  state.removalMs = 40
  state.removals = 5
  await clock.advance(50)
  await maintenance.stop()
  expect(calls.filter((call) => call.startsWith('remove'))).toHaveLength(1)
  expect(clock.pendingTimers).toBe(0)
})

test('a job that fails is tried again the next time, and ends no other', async () => {
  const { clock, calls, state, maintenance } = aMaintenance()
  state.fault = new OuthookError('store_unavailable', 'down')
  maintenance.start()
  await clock.advance(400)
  state.fault = null
  await clock.advance(1600)
  expect(calls).toEqual([...Array(4).fill('reconcile'), 'apply', 'reconcile'])
  await maintenance.stop()
})

test('nothing runs and no timer is left after a stop', async () => {
  const { clock, calls, maintenance } = aMaintenance()
  maintenance.start()
  await maintenance.stop()
  maintenance.applyChangesSoon()
  await clock.advance(120_000)
  expect(calls).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
