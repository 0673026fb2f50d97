import { formatWait } from '../core/duration.ts'
import type { Finding } from '../core/finding.ts'
import type { Keyring } from '../core/keyring.ts'
import { offsetOf, type SavedTime, steadyMs } from '../core/time-line.ts'

export type { Finding } from '../core/finding.ts'

export interface CheckProgress {
  readonly table: string
  /** Tables that are checked already. */
  readonly done: number
  readonly of: number
}

export interface Examination {
  /** The master key that the operator gave, or that lies beside the store. */
  readonly masterKey: Pick<Keyring, 'use' | 'fingerprints'> | null
  /** Processes that are meant to run on this machine. */
  readonly processes: number
  /** The check of all that is stored leaves out what takes long. Default false. */
  readonly quick?: boolean
  /**
   * Leaves out all that reads whole tables, because somebody waits for the answer and the server goes on working on the
   * same machine. Default false.
   */
  readonly isBrief?: boolean
  /** Hears how far that check is. */
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly now: () => number
}

export function ok(check: string, found: string): Finding {
  return { check, level: 'ok', found, advice: null }
}

export function warning(check: string, found: string, advice: string): Finding {
  return { check, level: 'warning', found, advice }
}

export function problem(check: string, found: string, advice: string): Finding {
  return { check, level: 'problem', found, advice }
}

export function judgeSchema({ from, steps }: SchemaState): Finding {
  const newest = steps.at(-1)?.version ?? from
  if (from === 0)
    return warning('schema', 'none yet', 'run "outhook migrate", or start a server, which does it')
  if (steps.length === 0) return ok('schema', `version ${from}`)
  const found = `version ${from}, this Outhook brings ${newest}`
  return warning('schema', found, 'run "outhook migrate", or start a server of this version, which does it')
}

interface SchemaState {
  readonly from: number
  readonly steps: readonly { readonly version: number }[]
}

export function judgeMasterKey(stored: string | null, { masterKey }: Examination): Finding {
  const check = 'master key'
  const storedPrint = stored?.split('.')[0] ?? null
  if (storedPrint === null) return ok(check, 'the store has none yet: the first server brings it')
  if (masterKey === null) {
    return warning(
      check,
      `the store was made with ${storedPrint}; none was given to compare`,
      'give it as OUTHOOK_MASTER_KEY to have it checked',
    )
  }
  if (masterKey.use(stored ?? '')) return ok(check, `${storedPrint}, the one that was given`)
  return problem(
    check,
    `the store was made with ${storedPrint}, and ${masterKey.fingerprints.join(' and ')} was given`,
    'give every process the key that the store was made with; with another one it refuses to start',
  )
}

/** Of the oldest due delivery that nobody has started. */
const lateMs = 60_000

export function judgeBacklog(counts: BacklogCounts): Finding {
  const { pending, retry_scheduled, in_flight, dead_lettered } = counts.deliveries
  const age =
    counts.oldestDueMs === null ? 'none is due' : `the oldest due for ${seconds(counts.oldestDueMs)}`
  const found = `${pending} pending, ${retry_scheduled} to be retried, ${in_flight} in flight, ${dead_lettered} dead letters; ${age}`
  if ((counts.oldestDueMs ?? 0) < lateMs) return ok('backlog', found)
  return warning(
    'backlog',
    found,
    'check that dispatchers run; if they do, add some, or look for endpoints at their limit (outhook deliveries list)',
  )
}

/** Nothing to say where none was expunged. `left`: ids of events whose answers are still there. */
export function judgeExpunged(count: number, left: readonly string[]): readonly Finding[] {
  if (count === 0) return []
  const found = `${count} payloads were expunged on demand`
  const [first] = left
  if (first === undefined) return [ok('expunged', found)]
  return [
    warning(
      'expunged',
      `${found}; what answers repeat of ${left.length} of them is still there, the first is ${first}`,
      `expunge it again, which was cut off: outhook events expunge ${first}`,
    ),
  ]
}

interface BacklogCounts {
  readonly deliveries: Readonly<Record<'pending' | 'retry_scheduled' | 'in_flight' | 'dead_lettered', number>>
  readonly oldestDueMs: number | null
}

/** Lines of ordered deliveries. */
export interface StuckLines {
  readonly keys: number
  /** Whose head is dead-lettered. */
  readonly blocked: number
  /** Whose head is neither due, nor waits for something, nor is in flight. */
  readonly stuck: number
  /** A key of one of these. */
  readonly example: string | null
}

export function judgeOrderedKeys({ keys, blocked, stuck, example }: StuckLines): Finding {
  const check = 'ordered keys'
  const found = `${keys} with deliveries, ${blocked} blocked by a dead letter`
  if (stuck > 0) {
    return problem(
      check,
      `${found}; ${stuck} with no head that is due or in flight, such as ${JSON.stringify(example)}`,
      'run a server on the store, which mends such lines within minutes; a restored backup is the usual cause',
    )
  }
  if (blocked === 0) return ok(check, found)
  return warning(check, found, 'replay or skip the dead letters at their heads')
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

/** Beyond this a start would find that the clock has jumped. */
const aheadMs = 60_000

/** `wall`: of the clock that the store's time goes by. */
export function judgeClock(saved: SavedTime | null, wall: number, check = 'clock'): Finding {
  if (saved === null) return ok(check, 'nothing is known of it yet')
  const { line, seenAt } = saved
  const behindMs = seenAt + offsetOf(line) - wall
  if (behindMs > aheadMs) {
    const advice =
      'set the clock; what is due goes on without it, but times that people see are wrong until then'
    return warning(check, `${seconds(behindMs)} behind what the store has seen`, advice)
  }
  if (line.unprovenSince !== null) {
    const advice = `see that the time is right; after ${formatWait(steadyMs)} without a jump retention goes on`
    return warning(check, 'it has jumped, so nothing is removed for its age', advice)
  }
  const offset = offsetOf(line)
  const found =
    offset === 0 ? 'steady' : `steady; it has jumped ${seconds(offset)} in all since the store was made`
  return ok(check, found)
}
