/** Whether the system is well, and if not, why. Pure. */
import type { Stats, Trouble, TroubledEndpoint } from '../../../client/index.ts'
import { percentText, secondsText } from '../../kit/figure-text.ts'
import { disabledWords, pausedByHand } from '../../stopped-words.ts'

export interface Concern {
  readonly text: string
}

/** A delivery that is due for longer waits for something. */
const lateSeconds = 60
/** From fewer attempts nothing is concluded. */
const leastAttempts = 20
const wellFrom = 0.9
/** A node says every five seconds that it is there. */
const silentMs = 20_000

/** So many endpoints in trouble are read, the worst first. */
export const mostTroubled = 10

/** What somebody has done by hand is not wrong. */
const byHand: ReadonlySet<string> = new Set([disabledWords.operator, pausedByHand])

type Verdict =
  | { readonly is: 'loading' }
  | { readonly is: 'unknown'; readonly why: string }
  | { readonly is: 'known'; readonly concerns: readonly Concern[] }

interface Read<T> {
  readonly value: T | null
  readonly problem: string | null
}

/** Without either of the two nobody knows; nor does anybody know how it is now where one could not be read again. */
export function verdictOf(stats: Read<Stats>, trouble: Read<Trouble>): Verdict {
  const why = stats.problem ?? trouble.problem
  if (why !== null) return { is: 'unknown', why }
  if (stats.value === null || trouble.value === null) return { is: 'loading' }
  return { is: 'known', concerns: concernsOf(stats.value, trouble.value.items) }
}

/** The worst first; empty: it is well. */
export function concernsOf(stats: Stats, trouble: readonly TroubledEndpoint[]): readonly Concern[] {
  const { backlog, recent, nodes, readAt } = stats
  const concerns: string[] = []
  if (nodes.length > 0 && nodes.every(({ role }) => role === 'api')) {
    concerns.push('Nothing is delivered: no node has a role that delivers.')
  }
  for (const { host, pid, seenAt } of nodes) {
    const silence = Date.parse(readAt) - Date.parse(seenAt)
    if (silence > silentMs)
      concerns.push(`The node ${host}:${pid} has been silent for ${secondsText(silence / 1000)}.`)
  }
  if ((backlog.oldestDueSeconds ?? 0) > lateSeconds) {
    concerns.push(
      `Deliveries are late: the oldest has been due for ${secondsText(backlog.oldestDueSeconds ?? 0)}.`,
    )
  }
  const attempts = recent.attempts.reduce((sum, { count }) => sum + count, 0)
  if (attempts >= leastAttempts && (recent.successRate ?? 1) < wellFrom) {
    concerns.push(`Of the last attempts only ${percentText(recent.successRate)} succeeded.`)
  }
  const wrong = trouble.filter(({ reason }) => !byHand.has(reason)).length
  if (wrong > 0) concerns.push(troubleText(wrong))
  return concerns.map((text) => ({ text }))
}

function troubleText(wrong: number): string {
  if (wrong === 1) return 'An endpoint is in trouble.'
  return `${wrong}${wrong < mostTroubled ? '' : ' or more'} endpoints are in trouble.`
}
