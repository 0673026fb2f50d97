/** What the metrics count of what the engine does. */
import type { DeliveryActivity } from './delivery/activity.ts'
import type { Metrics } from './observability/metrics.ts'

export function countActivity(activity: DeliveryActivity, metrics: Metrics): void {
  activity.on('attempt', metrics.attempt)
  activity.on('deadLetter', metrics.deadLetter)
  activity.on('deliveryFailing', metrics.deliveryFailing)
  activity.on('staleOutcome', metrics.staleOutcome)
  activity.on('endpointDisabled', metrics.endpointDisabled)
  activity.on('endpointEnabled', metrics.endpointEnabled)
  activity.on('certificateExpiring', metrics.certificateExpiring)
  activity.on('endpointPaused', metrics.endpointPaused)
  activity.on('lostClaims', metrics.lostClaims)
  activity.on('targetsRepaired', metrics.targetsRepaired)
  activity.on('filtered', metrics.filtered)
  activity.on('violation', metrics.violation)
  activity.on('retentionRun', metrics.retentionRun)
}
