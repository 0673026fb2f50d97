/** What an endpoint has of its own of the breaker and of auto-disable ⇄ its columns, for both databases. */
import type { HealthSettings } from '../core/health-settings.ts'

export interface HealthColumns {
  readonly breaker_threshold: number | null
  readonly breaker_pause_ms: number | null
  readonly breaker_max_pause_ms: number | null
  readonly disable_after_ms: number | null
}

export function toHealthColumns(settings: HealthSettings): HealthColumns {
  return {
    breaker_threshold: settings.breakerThreshold,
    breaker_pause_ms: settings.breakerPauseMs,
    breaker_max_pause_ms: settings.breakerMaxPauseMs,
    disable_after_ms: settings.disableAfterMs,
  }
}

export function toHealthSettings(columns: HealthColumns): HealthSettings {
  return {
    breakerThreshold: columns.breaker_threshold,
    breakerPauseMs: columns.breaker_pause_ms,
    breakerMaxPauseMs: columns.breaker_max_pause_ms,
    disableAfterMs: columns.disable_after_ms,
  }
}
