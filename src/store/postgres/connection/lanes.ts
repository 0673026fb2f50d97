/** Connections per lane and process. */
export const lanes = {
  // Whoever holds an idempotency key for longer is not a node but somebody's open transaction.
  publish: { connections: 2, isHot: true, statementTimeoutMs: 5000, lockTimeoutMs: 150 },
  claim: { connections: 1, isHot: true, statementTimeoutMs: 10_000, lockTimeoutMs: 5000 },
  // Beyond it the batch is taken apart (apart.ts), so that what nobody has locked is written.
  record: { connections: 2, isHot: true, statementTimeoutMs: 10_000, lockTimeoutMs: 250 },
  config: { connections: 2, isHot: true, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 },
  read: { connections: 3, isHot: false, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 },
  // Counts whole tables.
  copy: { connections: 1, isHot: false, statementTimeoutMs: 3_600_000, lockTimeoutMs: 10_000 },
} as const
export type Lane = keyof typeof lanes

/** At most: those of the lanes, but for copying, and the one that hears of the other processes. */
export const connectionsPerNode =
  Object.values(lanes).reduce((sum, { connections }) => sum + connections, 0) - lanes.copy.connections + 1
