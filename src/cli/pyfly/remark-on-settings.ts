/** `pyfly.callbacks`: what is the server's here and not an endpoint's. */
import { settings as server } from '../../config/schema.ts'
import { formatDuration } from '../../core/duration.ts'
import type { CallbackSettings, Located } from './callback-file.ts'
import type { Remarks } from './import-plan.ts'

/** What the server has where nothing else is said needs no word. */
export function remarkOnSettings(file: CallbackSettings, remark: Remarks): void {
  const { enabled, timeoutMs, failureThreshold, recoveryMs } = file
  if (enabled?.value === false) {
    const problem = 'is false: pyfly sends nothing, so the subscriptions are made, but not active'
    const advice = 'enable them with "outhook subscriptions enable", or import again with true'
    remark({ place: enabled.place, problem, advice, isLoss: false })
  }
  const ofServer = (setting: Located<number> | undefined, known: number, flag: string, value: string) => {
    if (setting === undefined || setting.value === known) return
    const advice = `start the server with ${flag} ${value}`
    remark({ place: setting.place, problem: 'is a setting of the server here', advice, isLoss: false })
  }
  const duration = (setting: Located<number> | undefined) => formatDuration(setting?.value ?? 0)
  ofServer(timeoutMs, server.totalTimeoutMs.default, '--total-timeout', duration(timeoutMs))
  const threshold = String(failureThreshold?.value)
  ofServer(failureThreshold, server.breakerThreshold.default, '--breaker-threshold', threshold)
  ofServer(recoveryMs, server.breakerPauseMs.default, '--breaker-pause', duration(recoveryMs))
}
