import type { Clock } from '../../../core/clock.ts'
import { Company } from '../../company.ts'
import type { StorePace } from '../../port.ts'
import { receiversPerSlice } from '../publish/large-fan-out.ts'

/** Each `recordOutcomes` is a commit and costs the server some 400 µs, however few outcomes it has. */
const companyMs = 20

/** Publishes, claims and outcomes overlap on connections of their own, so nothing is cut short for another's sake. */
export function createPostgresPace(clock: Pick<Clock, 'schedule'>): StorePace {
  return {
    publishes: { alone: 64 },
    claims: { restMs: () => 0, begin: () => 500, end: () => {} },
    outcomes: { most: 500, enough: 256, company: new Company(clock, companyMs) },
    fanOutSlice: receiversPerSlice,
    maintenance: { targets: 200, rows: 1000, retentionRows: 500, statRows: 1000 },
  }
}
