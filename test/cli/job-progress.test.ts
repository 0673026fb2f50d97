import { expect, test } from 'vitest'
import { followJob } from '../../src/cli/job-progress.ts'
import { createClient } from '../../src/client/client.ts'
import type { Job } from '../../src/client/generated/types.ts'
import { toSnakeCase } from '../../src/client/member-names.ts'
import { startStubApi } from './stub-api.ts'

const job: Job = {
  id: 'job_01h455vb4pex5vsknk084sn02q',
  kind: 'replay',
  state: 'queued',
  filter: {},
  rate: null,
  total: null,
  done: 0,
  skipped: 0,
  failed: 0,
  error: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  endedAt: null,
}

/** Follows a job that answers these states, one after the other; what was printed. */
async function follow(states: readonly Partial<Job>[], isTerminal: boolean) {
  const rest = [...states]
  const api = await startStubApi(() => ({ body: toSnakeCase({ ...job, ...rest.shift() }, 'Job') }))
  const printed: string[] = []
  const io = {
    isTerminal,
    print: (line: string) => void printed.push(line),
    printBytes: (bytes: Uint8Array) => void printed.push(Buffer.from(bytes).toString()),
  }
  const print = { json: false, answer: () => {}, note: () => {}, page: () => {} }
  const context = { client: createClient({ url: api.url, token: 'x' }), io, print }
  const error = await followJob(context as never, job, { wait: true }).then(
    () => null,
    (thrown: Error) => thrown.message,
  )
  await api.close()
  return { printed, error }
}

const done = { state: 'done', total: 4, done: 3, skipped: 1, endedAt: '2026-01-01T00:00:01.000Z' } as const

test('a job is shown on a terminal as a bar that stays on its line, and elsewhere as nothing when it is short', async () => {
  const states = [{ state: 'running', total: 4, done: 1 } as const, done]
  const { printed, error } = await follow(states, true)
  expect(error).toBeNull()
  expect(printed).toEqual([
    '\r\u001b[2Kreplay: queued, counting',
    '\r\u001b[2K[######------------------] 25% replay: 1 of 4 done, 0 skipped, 0 failed',
    '\r\u001b[2K[########################] 100% replay: 3 of 4 done, 1 skipped, 0 failed',
    '',
  ])
  expect((await follow(states, false)).printed).toEqual([])
})

test.each([
  [{ ...done, state: 'failed', error: 'its endpoint was deleted' } as const, 'its endpoint was deleted'],
  [{ ...done, state: 'cancelled' } as const, 'cancelled'],
  [{ ...done, done: 1, failed: 2, error: 'no room' } as const, 'but for 2 deliveries that failed: no room'],
])('a job that does not come to a good end is an error: %j', async (end, message) => {
  expect((await follow([end], false)).error).toContain(message)
})
