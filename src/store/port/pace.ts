/** How much of each kind of work goes to the store at a time, and when: the store knows what would keep what waiting. */
export interface StorePace {
  readonly publishes: PublishPace
  readonly claims: ClaimPace
  readonly outcomes: OutcomePace
  readonly maintenance: MaintenanceSlices
  /** Deliveries of one `fanOutSlice` at most. */
  readonly fanOutSlice: number
}

export interface PublishPace {
  /**
   * While so many events are being committed at once, what comes waits and shares the next commit: each costs the server
   * something however many events it has. Null: commits never wait for one another.
   */
  readonly alone: number | null
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

export interface OutcomePace {
  /** Outcomes of one `recordOutcomes` at most. */
  readonly most: number
  /** So many do not wait any longer. */
  readonly enough: number
  /**
   * Outcomes of success wait here for a call that they can share a commit with: `go` is called once, and what `wait`
   * returned ends the wait without it. Null: they are written at once.
   * Whatever waits when the process dies is attempted again, so the wait is as short as pays.
   */
  readonly company: { wait(go: () => void): () => void } | null
}

export interface MaintenanceSlices {
  /** Targets that one `reconcileReady` looks at. */
  readonly targets: number
  /** Rows that a job changes in one call. */
  readonly rows: number
  /** Rows of each table that one `removeExpired` walks over. */
  readonly retentionRows: number
  /** Rows that one `foldStats` folds. */
  readonly statRows: number
}
