/** `pyfly.callbacks`: what holds for all callbacks there, and for each endpoint here. */
import { settings as server } from '../../config/schema.ts'
import { endpointTimeouts } from '../../core/attempt-timeout.ts'
import { formatDuration } from '../../core/duration.ts'
import { maxBreakerThreshold } from '../../core/health-policy.ts'
import type { CallbackSettings } from './callback-file.ts'
import type { EndpointLimits, Remarks } from './import-plan.ts'

export function planSettings(file: CallbackSettings, remark: Remarks): EndpointLimits {
  const { enabled, timeoutMs, failureThreshold, recoveryMs } = file
  if (enabled?.value === false) {
    const problem = 'is false: pyfly sends nothing, so the subscriptions are made, but not active'
    const advice = 'enable them with "outhook subscriptions enable", or import again with true'
    remark({ place: enabled.place, problem, advice, isLoss: false })
  }
  const { minMs, maxMs } = endpointTimeouts
  const timeout = timeoutMs && Math.min(Math.max(timeoutMs.value, minMs), maxMs)
  if (timeoutMs !== undefined && timeout !== timeoutMs.value) {
    const range = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`
    const problem = `is none of ${range}, which an endpoint may have, and becomes ${formatDuration(timeout ?? minMs)}`
    remark({ place: timeoutMs.place, problem, advice: 'nothing, if that is enough', isLoss: false })
  }
  const threshold = failureThreshold && Math.min(failureThreshold.value, maxBreakerThreshold)
  return {
    ...(timeout !== undefined && { timeout }),
    // 0 would switch the breaker off here, and opens it with each failure there.
    ...(threshold !== undefined && { breakerThreshold: Math.max(threshold, 1) }),
    ...(recoveryMs !== undefined && breakerPauses(recoveryMs.value)),
  }
}

/** The longest pause is not shorter than the first. */
function breakerPauses(ms: number): EndpointLimits {
  const breakerPause = Math.max(ms, 1)
  const isLong = breakerPause > server.breakerMaxPauseMs.default
  return { breakerPause, ...(isLong && { breakerMaxPause: breakerPause }) }
}
