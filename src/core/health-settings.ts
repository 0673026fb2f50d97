/** What an endpoint or a tenant says; null: as the next one has it. */
export interface HealthSettings {
  /** Transport failures in a row that pause an endpoint; 0 switches the breaker off. */
  readonly breakerThreshold: number | null
  /** The first pause; each failed probe doubles it. */
  readonly breakerPauseMs: number | null
  readonly breakerMaxPauseMs: number | null
  /** An endpoint that has only failed for so long is disabled; 0 never. */
  readonly disableAfterMs: number | null
}

export const noHealthSettings: HealthSettings = {
  breakerThreshold: null,
  breakerPauseMs: null,
  breakerMaxPauseMs: null,
  disableAfterMs: null,
}
