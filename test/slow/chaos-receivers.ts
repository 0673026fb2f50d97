/** Who receives in the chaos test: what each answers, and how its deliveries have to end. */
import type { Reply } from './ledger.ts'

export interface ChaosReceiver {
  readonly path: string
  readonly topics: readonly string[]
  readonly state: 'succeeded' | 'dead_lettered'
  readonly maxAttempts: number
  /** Request by request of a delivery; the last goes on. Null: no answer in time. */
  readonly statuses: readonly (number | null)[]
  /** How long an answer takes, at least and at most. */
  readonly takesMs: readonly [number, number]
}

/** An attempt may take so long in all. */
export const totalTimeoutMs = 3000

/** Takes its time over every answer, and gives it before the sender's timeout. */
export const slowPath = '/linger'

export const chaosReceivers: readonly ChaosReceiver[] = [
  {
    path: '/succeed',
    topics: ['chaos.*'],
    state: 'succeeded',
    maxAttempts: 10,
    statuses: [200],
    takesMs: [0, 0],
  },
  {
    path: slowPath,
    topics: ['chaos.*'],
    state: 'succeeded',
    maxAttempts: 10,
    statuses: [200],
    takesMs: [800, 1600],
  },
  {
    path: '/recover',
    topics: ['chaos.*'],
    state: 'succeeded',
    maxAttempts: 10,
    statuses: [500, 503, 200],
    takesMs: [0, 0],
  },
  {
    path: '/stall',
    topics: ['chaos.rare'],
    state: 'succeeded',
    maxAttempts: 10,
    statuses: [null, 200],
    takesMs: [0, 0],
  },
  {
    path: '/fail',
    topics: ['chaos.rare'],
    state: 'dead_lettered',
    maxAttempts: 3,
    statuses: [500],
    takesMs: [0, 0],
  },
]

export function answerOf(path: string, requestNo: number, random: () => number): Reply {
  const receiver = chaosReceivers.find((each) => each.path === path)
  if (receiver === undefined) return { status: 404, afterMs: 0 }
  const { statuses, takesMs } = receiver
  const status = statuses[Math.min(requestNo, statuses.length) - 1]
  if (status === null || status === undefined) return { status: 200, afterMs: totalTimeoutMs * 2 }
  return { status, afterMs: takesMs[0] + random() * (takesMs[1] - takesMs[0]) }
}
