/** What an operator reads in the log of a clock that is not steady: once for each jump, and once when it is over. */
import { formatWait } from '../core/duration.ts'
import type { Logger } from '../core/logger.ts'
import { plainDowntimeMs, type ResumedTime, steadyMs } from '../core/time-line.ts'

const standsStill = `nothing is removed for its age and no endpoint is disabled for failing until the clock has been steady for ${formatWait(steadyMs)}`

/** `whose`: such as "the clock of this machine". */
export function tellJump(logger: Logger, whose: string, jumpedMs: number): void {
  const direction = jumpedMs < 0 ? 'back' : 'ahead'
  logger.warn(
    { jumped_ms: Math.round(jumpedMs) },
    `${whose} jumped ${formatWait(Math.abs(jumpedMs))} ${direction}. Due times, pauses, rates and leases go on as if it had not; ${standsStill}`,
  )
}

/** At a start: where the store's time goes on, when that is not simply where the clock is. */
export function tellResumed(logger: Logger, whose: string, { line, now }: ResumedTime): void {
  if (line.unprovenSince !== now) return
  const [before, step] = line.steps.slice(-2)
  if (before === undefined || step === undefined) return
  if (step.from !== now || step.skipped === 0) {
    tellJump(logger, whose, step.offset - before.offset)
    return
  }
  const skippedMs = step.skipped
  logger.warn(
    { skipped_ms: Math.round(skippedMs) },
    `${whose} is ${formatWait(skippedMs)} ahead of when the store was last used, more than ${formatWait(plainDowntimeMs)}. ` +
      `That may be a downtime or a wrong clock, so ${standsStill}`,
  )
}

export function tellSteady(logger: Logger, whose: string): void {
  logger.info({}, `${whose} has been steady for ${formatWait(steadyMs)}: ages count again`)
}
