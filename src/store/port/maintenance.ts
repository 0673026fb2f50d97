/** How long rows are kept, milliseconds; 0 is for ever. */
export interface Retention {
  /** From the event's creation; longer while one of its deliveries is live or a dead letter that can be replayed. */
  readonly payloadsMs: number
  /** From the attempt's start; at most as long as its delivery. */
  readonly attemptsMs: number
  /** Finished deliveries from their end, events from their creation and at least as long as their deliveries. */
  readonly eventsMs: number
  /** Dead letters from their end: so long they stay, and their payloads with them. */
  readonly deadLettersMs: number
  /** Jobs from their end. */
  readonly jobsMs: number
}

/** Rows that retention has removed. */
export interface RemovedRows {
  readonly payloads: number
  readonly attempts: number
  readonly deliveries: number
  readonly events: number
  readonly jobs: number
}

export interface MaintenanceStore {
  /** Arms targets that have due work but no ready row; looks at no more than `limit` targets, resuming where it stopped. */
  reconcileReady(options: { readonly limit: number }): Promise<{ readonly armed: number }>
  /**
   * Goes on with what a delete, disable or enable left to do (cancel, park, make due), at most `limit` rows.
   * `more`: call again.
   */
  applyConfigChanges(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
  /** Removes idempotency records past their time, and links to the portal that ended a week ago, at most `limit` of each. */
  deleteExpiredIdempotencyKeys(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
  /**
   * Removes what is past its retention. Each table is walked upwards by id, over at most `limit` rows a call, and a
   * row that has to stay is passed over; once a day the walk starts over, so what is no longer needed goes within a
   * day. Of jobs the oldest that have ended go first, `limit` at most. Only one process at a time works, and for the others there is nothing to do. `more`: call again.
   */
  removeExpired(options: {
    readonly retention: Retention
    readonly limit: number
  }): Promise<{ readonly removed: RemovedRows; readonly more: boolean }>
  /** Folds old `delivery_counts` rows into their totals, at most `limit`. */
  foldCounts(options: { readonly limit: number }): Promise<{ readonly more: boolean }>
}
