import type { StorePace } from '../../port.ts'

/** Publishes, claims and outcomes overlap on connections of their own, so nothing is cut short for another's sake. */
export const postgresPace: StorePace = {
  claims: { restMs: () => 0, begin: () => 500, end: () => {} },
  outcomes: 500,
  maintenance: { targets: 200, rows: 1000, retentionRows: 500 },
}
