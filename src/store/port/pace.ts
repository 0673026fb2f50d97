/** How much of each kind of work goes to the store at a time, and when: the store knows what would keep what waiting. */
export interface StorePace {
  readonly claims: ClaimPace
  /** Outcomes of one `recordOutcomes` at most. */
  readonly outcomes: number
  readonly maintenance: MaintenanceSlices
}

/** One claim at a time asks for this. */
export interface ClaimPace {
  /** Milliseconds for which the store has other work than a claim; 0: none. */
  restMs(): number
  /** A claim begins: deliveries that it should ask for at most. */
  begin(): number
  /** It is over and gave so many. */
  end(given: number): void
}

export interface MaintenanceSlices {
  /** Targets that one `reconcileReady` looks at. */
  readonly targets: number
  /** Rows that a job changes in one call. */
  readonly rows: number
  /** Rows of each table that one `removeExpired` walks over. */
  readonly retentionRows: number
}
