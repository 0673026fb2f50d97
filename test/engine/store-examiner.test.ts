/** Examinations of the store: how long anybody waits for one, and what becomes of one that hangs. */
import { beforeEach, expect, test } from 'vitest'
import { StoreExaminer } from '../../src/engine/store-examiner.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'

let clock: ManualClock
beforeEach(() => {
  clock = createManualClock()
})

interface Begun {
  readonly signal: AbortSignal
  readonly end: (checks?: readonly string[]) => void
  readonly fail: () => void
}

function anExaminer() {
  const begun: Begun[] = []
  const examiner = new StoreExaminer({
    clock,
    examine(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<{ findings: []; lengthyChecks: string[] }>()
      begun.push({
        signal,
        end: (checks = ['all']) => resolve({ findings: [], lengthyChecks: [...checks] }),
        fail: () => reject(new Error('cut off')),
      })
      return promise
    },
  })
  return { examiner, begun }
}

const found = { findings: [], lengthyChecks: ['all'] }
const late = { findings: [{ check: 'store', level: 'problem', found: expect.stringContaining('not ended') }] }

const isStopping = { findings: [{ found: 'the process is stopping' }] }

/** What a promise has come to so far. */
async function soFar<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  await clock.advance(0)
  return Promise.race([promise, Promise.resolve('waiting' as const)])
}

test('all who ask at one time, or within seconds, get what one examination finds', async () => {
  const { examiner, begun } = anExaminer()
  const asked = [examiner.read(), examiner.read()]
  begun[0]?.end()
  for (const each of await Promise.all(asked)) expect(each).toMatchObject(found)
  await clock.advance(4_000)
  await examiner.read()
  expect(begun).toHaveLength(1)
  await clock.advance(2_000)
  void examiner.read()
  expect(begun).toHaveLength(2)
})

test('nobody waits longer than ten seconds, and whoever asks later is told at once, until it has ended', async () => {
  const { examiner, begun } = anExaminer()
  const first = examiner.read()
  await clock.advance(6_000)
  const second = examiner.read()
  await clock.advance(3_999)
  expect(await soFar(second)).toBe('waiting')
  await clock.advance(1)
  expect(await soFar(first)).toMatchObject(late)
  expect(await soFar(second)).toMatchObject(late)
  expect(await soFar(examiner.read())).toMatchObject(late)
  begun[0]?.end()
  await clock.advance(0)
  expect(await soFar(examiner.read())).toMatchObject(found)
  expect(begun).toHaveLength(1)
})

test('one that hangs is given up after a minute; the next begins once it has let go, and not before', async () => {
  const { examiner, begun } = anExaminer()
  void examiner.read()
  await clock.advance(59_000)
  expect(begun[0]?.signal.aborted).toBe(false)
  await clock.advance(1_000)
  expect(begun[0]?.signal.aborted).toBe(true)
  expect(await soFar(examiner.read())).toMatchObject(late)
  expect(begun).toHaveLength(1)
  begun[0]?.fail()
  await clock.advance(0)
  const next = examiner.read()
  expect(begun).toHaveLength(2)
  begun[1]?.end()
  expect(await next).toMatchObject(found)
})

test('what one that was given up has found is not told', async () => {
  const { examiner, begun } = anExaminer()
  void examiner.read()
  await clock.advance(60_000)
  begun[0]?.end([])
  await clock.advance(0)
  const next = examiner.read()
  begun[1]?.end()
  expect(await next).toMatchObject(found)
})

test('one that fails is told as failed to whoever waits, and is not begun again for some seconds', async () => {
  const { examiner, begun } = anExaminer()
  const asked = examiner.read()
  begun[0]?.fail()
  await expect(asked).rejects.toThrow('cut off')
  await expect(examiner.read()).rejects.toThrow('cut off')
  expect(begun).toHaveLength(1)
})

test('stopping gives up what is under way and waits until it has let go, for two seconds at most', async () => {
  const { examiner, begun } = anExaminer()
  const asked = examiner.read()
  const stopping = examiner.stop()
  expect(begun[0]?.signal.aborted).toBe(true)
  expect(await soFar(stopping.then(() => 'stopped'))).toBe('waiting')
  expect(await soFar(asked)).toMatchObject(isStopping)
  begun[0]?.fail()
  await stopping
  await examiner.stop()
  expect(await examiner.read()).toMatchObject(isStopping)
  expect(begun).toHaveLength(1)

  const other = anExaminer()
  void other.examiner.read()
  const waiting = other.examiner.stop().then(() => 'stopped')
  await clock.advance(1_999)
  expect(await soFar(waiting)).toBe('waiting')
  await clock.advance(1)
  expect(await soFar(waiting)).toBe('stopped')
})
