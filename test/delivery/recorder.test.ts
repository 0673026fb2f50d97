import { expect, test } from 'vitest'
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { OutcomeRecorder, type Recordable } from '../../src/delivery/recorder.ts'
import { Company } from '../../src/store/company.ts'
import type { DeliveryOutcome, RecordResult } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const unavailable = () => new OuthookError('store_unavailable', 'down')
const refused = () => new OuthookError('store_refused', 'refused')

function anOutcome(deliveryId: string, error: string | null = null): DeliveryOutcome {
  return {
    deliveryId,
    claimVersion: 1,
    attempt: {
      attemptNo: 1,
      status: 'success',
      httpStatus: 200,
      errorClass: null,
      error,
      latencyMs: 1,
      startedAt: 0,
      response: { headers: [], body: new Uint8Array(1), truncated: false },
    },
    next: { state: 'succeeded' },
    observation: null,
    disableEndpoint: null,
  }
}

function aRecorder(
  record: (batch: readonly DeliveryOutcome[]) => Promise<void> = async () => {},
  {
    outcomes = 256,
    locked = new Set<string>(),
    clock = createManualClock(),
    company = null as Company | null,
  } = {},
) {
  const written: DeliveryOutcome[][] = []
  const told: string[] = []
  const refusals: string[] = []
  const blocked: boolean[] = []
  const recorder = new OutcomeRecorder<string>({
    clock,
    logger: silentLogger,
    breaker: defaultBreakerPolicy,
    store: {
      pace: { outcomes: { most: outcomes, enough: 3, company } },
      async recordOutcomes(batch): Promise<RecordResult> {
        await record(batch)
        written.push([...batch])
        const held = batch.flatMap(({ deliveryId }, index) => (locked.has(deliveryId) ? [index] : []))
        const recorded = batch.map((_, index) => !held.includes(index))
        return { recorded, held, health: [], advanced: false, disabled: [] }
      },
    },
    onRecorded: (batch: readonly Recordable<string>[]) => told.push(...batch.map(({ context }) => context)),
    onRefused: ({ context }) => refusals.push(context),
    onBlocked: (value) => blocked.push(value),
  })
  const push = (...ids: readonly string[]) => {
    for (const id of ids) recorder.push({ outcome: anOutcome(id), context: id })
  }
  return { clock, recorder, written, told, refusals, blocked, push }
}

const idsOf = (batches: readonly DeliveryOutcome[][]) =>
  batches.map((batch) => batch.map(({ deliveryId }) => deliveryId))

test('outcomes that come together are written together', async () => {
  const { recorder, written, told, push } = aRecorder()
  push('a', 'b', 'c')
  await recorder.flush()
  expect(idsOf(written)).toEqual([['a', 'b', 'c']])
  expect(told).toEqual(['a', 'b', 'c'])
  expect(recorder.unwritten).toBe(0)
})

function aRecorderWithCompany() {
  const clock = createManualClock()
  const company = new Company(clock, 20)
  return { company, ...aRecorder(undefined, { clock, company }) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('successes wait for company, and go along with it before it goes', async () => {
  const { company, recorder, written, told, push } = aRecorderWithCompany()
  push('a')
  await turn()
  push('b')
  await turn()
  expect(written).toEqual([])
  expect(recorder.unwritten).toBe(2)
  company.come()
  await turn()
  expect(idsOf(written)).toEqual([['a', 'b']])
  expect(told).toEqual(['a', 'b'])
})

test('successes that nobody keeps company are written together after the longest wait', async () => {
  const { clock, written, push } = aRecorderWithCompany()
  push('a')
  await clock.advance(19)
  push('b')
  await turn()
  expect(written).toEqual([])
  await clock.advance(1)
  await turn()
  expect(idsOf(written)).toEqual([['a', 'b']])
})

test('enough successes do not wait, nor does a failure, which takes those that do along', async () => {
  const { recorder, written, push } = aRecorderWithCompany()
  push('a', 'b', 'c')
  await turn()
  push('d')
  const failed = { ...anOutcome('e'), next: { state: 'retry_scheduled', delayMs: 1000 } as const }
  recorder.push({ outcome: failed, context: 'e' })
  await turn()
  push('f')
  await turn()
  expect(idsOf(written)).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e'],
  ])
})

test('when all is to be written nothing waits for company', async () => {
  const { recorder, written, push } = aRecorderWithCompany()
  push('a')
  await turn()
  await recorder.flush()
  expect(idsOf(written)).toEqual([['a']])
})

test('what comes while a batch is being written goes in the next one', async () => {
  const gate = Promise.withResolvers<void>()
  const { recorder, written, push } = aRecorder(() => gate.promise)
  push('a')
  await new Promise((resolve) => setImmediate(resolve))
  push('b', 'c')
  gate.resolve()
  await recorder.flush()
  expect(idsOf(written)).toEqual([['a'], ['b', 'c']])
})

test.each([
  { outcomes: 256, batches: [256, 245] },
  { outcomes: 500, batches: [500, 1] },
])(
  'no batch holds more outcomes than the store takes at a time: $outcomes',
  async ({ outcomes, batches }) => {
    const { recorder, written, push } = aRecorder(undefined, { outcomes })
    push(...Array.from({ length: 501 }, (_, index) => String(index)))
    await recorder.flush()
    expect(written.map((batch) => batch.length)).toEqual(batches)
  },
)

test('an unreachable store blocks, is tried again, and unblocks when it takes the batch', async () => {
  let failures = 3
  const { clock, recorder, written, blocked, push } = aRecorder(async () => {
    if (failures-- > 0) throw unavailable()
  })
  push('a', 'b')
  await clock.advance(0)
  expect(recorder.blocked).toBe(true)
  expect(recorder.unwritten).toBe(2)
  await clock.advance(50 + 100 + 200)
  await recorder.flush()
  expect(idsOf(written)).toEqual([['a', 'b']])
  expect(blocked).toEqual([true, false])
})

test('a refused outcome is found by halving and written without what it captured', async () => {
  const { recorder, written, told, blocked, push } = aRecorder(async (batch) => {
    if (batch.some(({ deliveryId, attempt }) => deliveryId === 'bad' && attempt?.response)) throw refused()
  })
  push('a', 'b', 'bad', 'c', 'd')
  await recorder.flush()
  expect(idsOf(written).flat().sort()).toEqual(['a', 'b', 'bad', 'c', 'd'])
  expect(written.flat().find(({ deliveryId }) => deliveryId === 'bad')?.attempt?.response).toBeNull()
  expect(written.flat().filter(({ attempt }) => attempt?.response === null)).toHaveLength(1)
  expect(told.sort()).toEqual(['a', 'b', 'bad', 'c', 'd'])
  expect(blocked).toEqual([])
})

test('error text goes with the capture, for it may quote it', async () => {
  const { recorder, written } = aRecorder(async ([only]) => {
    if (only?.attempt?.error?.includes('\0')) throw refused()
  })
  recorder.push({ outcome: anOutcome('a', 'HTTP 500: \0'), context: 'a' })
  await recorder.flush()
  expect(written.flat()[0]?.attempt).toMatchObject({ error: null, response: null, httpStatus: 200 })
})

test('an outcome that is refused in every form is handed back, once, and counted no longer', async () => {
  const { recorder, refusals, push } = aRecorder(async (batch) => {
    if (batch.some(({ deliveryId }) => deliveryId === 'bad')) throw refused()
  })
  push('a', 'bad')
  await recorder.flush()
  expect(refusals).toEqual(['bad'])
  expect(recorder.unwritten).toBe(0)
})

test('a store that is back and refuses the only outcome does not stay blocked', async () => {
  let calls = 0
  const { clock, recorder, push } = aRecorder(async () => {
    throw ++calls === 1 ? unavailable() : refused()
  })
  push('bad')
  await clock.advance(50)
  await recorder.flush()
  expect(recorder.blocked).toBe(false)
})

test('a fault in whoever listens writes nothing twice and stops nothing', async () => {
  const clock = createManualClock()
  let writes = 0
  const recorder = new OutcomeRecorder<null>({
    clock,
    logger: silentLogger,
    breaker: defaultBreakerPolicy,
    store: {
      pace: { outcomes: { most: 256, enough: 3, company: null } },
      async recordOutcomes(batch) {
        writes++
        return { recorded: batch.map(() => true), held: [], health: [], advanced: false, disabled: [] }
      },
    },
    onRecorded: () => {
      throw new Error('a listener of ours')
    },
    onRefused: () => {},
    onBlocked: () => {},
  })
  recorder.push({ outcome: anOutcome('a'), context: null })
  await recorder.flush()
  recorder.push({ outcome: anOutcome('b'), context: null })
  await recorder.flush()
  expect(writes).toBe(2)
  expect(recorder.unwritten).toBe(0)
})

test('flush ends when the recorder is told to give up on a broken store', async () => {
  const { clock, recorder, written, push } = aRecorder(async () => {
    throw unavailable()
  })
  push('a')
  await clock.advance(0)
  const flushed = recorder.flush()
  recorder.abandon()
  await flushed
  expect(written).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test('outcomes that somebody else’s lock holds up leave their batch, and are written when it goes', async () => {
  const locked = new Set(['b', 'd'])
  const { clock, recorder, written, told, blocked, push } = aRecorder(async () => {}, { locked })
  push('a', 'b', 'c', 'd')
  await clock.advance(0)
  expect(told).toEqual(['a', 'c'])
  expect(recorder.unwritten).toBe(0)
  push('e')
  await clock.advance(0)
  expect(told).toEqual(['a', 'c', 'e'])
  const tries = written.length
  await clock.advance(60_000)
  // By themselves, and ever more rarely.
  expect(idsOf(written.slice(tries))).toEqual(
    Array.from({ length: written.length - tries }, () => ['b', 'd']),
  )
  expect(written.length - tries).toBeLessThan(70)
  locked.delete('b')
  await clock.advance(1000)
  expect(told).toEqual(['a', 'c', 'e', 'b'])
  locked.delete('d')
  const flushed = recorder.flush()
  await clock.advance(1000)
  await flushed
  expect(told).toEqual(['a', 'c', 'e', 'b', 'd'])
  expect(recorder.unwritten).toBe(0)
  expect(blocked).toEqual([])
})

test('a thousand outcomes may be held up without keeping new work from starting; more of them do', async () => {
  const ids = Array.from({ length: 1500 }, (_, index) => `d${index}`)
  const locked = new Set(ids)
  const { clock, recorder, push } = aRecorder(async () => {}, { locked })
  push(...ids)
  await clock.advance(0)
  expect(recorder.unwritten).toBe(500)
  locked.clear()
  await clock.advance(1000)
  expect(recorder.unwritten).toBe(0)
})

test('whoever gives up does not wait for what is held up', async () => {
  const { clock, recorder, push } = aRecorder(async () => {}, { locked: new Set(['a']) })
  push('a')
  await clock.advance(0)
  const flushed = recorder.flush()
  recorder.abandon()
  await flushed
  expect(recorder.unwritten).toBe(0)
})
