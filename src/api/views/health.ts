import type { Static } from 'typebox'
import { formatDuration } from '../../core/duration.ts'
import type { EffectiveHealth, EffectiveSetting } from '../../core/health-policy.ts'
import type { HealthSettings } from '../../core/health-settings.ts'
import type { EffectiveHealthBody } from '../schemas/health.ts'

export function toHealthMembers(settings: HealthSettings) {
  return {
    breaker_threshold: settings.breakerThreshold,
    breaker_pause: toDuration(settings.breakerPauseMs),
    breaker_max_pause: toDuration(settings.breakerMaxPauseMs),
    disable_after: toDuration(settings.disableAfterMs),
  }
}

export function toEffectiveHealth(health: EffectiveHealth): Static<typeof EffectiveHealthBody> {
  return {
    breaker_threshold: { ...health.breakerThreshold },
    breaker_pause: toSetting(health.breakerPauseMs),
    breaker_max_pause: toSetting(health.breakerMaxPauseMs),
    disable_after: toSetting(health.disableAfterMs),
  }
}

function toSetting({ value, from }: EffectiveSetting) {
  return { value: formatDuration(value), from }
}

function toDuration(ms: number | null): string | null {
  return ms === null ? null : formatDuration(ms)
}
