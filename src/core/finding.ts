/** What an examination of a store found. */
export interface Finding {
  /** What was looked at, such as `fsync`. */
  readonly check: string
  /** `warning`: it works, and may hurt later; `problem`: something is, or will be, lost or stuck. */
  readonly level: FindingLevel
  readonly found: string
  /** What to do; null when it is ok. */
  readonly advice: string | null
}

export const findingLevels = ['ok', 'warning', 'problem'] as const
export type FindingLevel = (typeof findingLevels)[number]
