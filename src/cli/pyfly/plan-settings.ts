/** `pyfly.callbacks`: what holds for all callbacks there, and for each endpoint here. */
import { settings as server } from '../../config/schema.ts'
import { endpointTimeouts } from '../../core/attempt-timeout.ts'
import { formatDuration } from '../../core/duration.ts'
import type { CallbackSettings, Located } from './callback-file.ts'
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
  const ofServer = (setting: Located<number> | undefined, known: number, flag: string) => {
    if (setting === undefined || setting.value === known) return
    const advice = `start the server with ${flag}`
    remark({ place: setting.place, problem: 'is a setting of the server here', advice, isLoss: false })
  }
  const { breakerThreshold, breakerPauseMs } = server
  ofServer(failureThreshold, breakerThreshold.default, `--breaker-threshold ${failureThreshold?.value}`)
  ofServer(recoveryMs, breakerPauseMs.default, `--breaker-pause ${formatDuration(recoveryMs?.value ?? 0)}`)
  return timeout === undefined ? {} : { timeout }
}
