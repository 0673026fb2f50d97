import type { Clock } from '../../../core/clock.ts'
import { ClaimsBesidePublishes } from '../../claims-beside-publishes.ts'
import { Company } from '../../company.ts'
import type { StorePace } from '../../port.ts'
import { receiversPerSlice } from '../publish/large-fan-out.ts'

/** Each `recordOutcomes` is a commit and costs the server some 400 µs, however few outcomes it has. */
const companyMs = 20

/**
 * Nobody waits for a claim, but where the server shares two cores with this process, everybody does for a core. With one
 * event for 10 thousand endpoints, claims of 500 and slices of 100, the p99 of fifty others with 500 events/s was 5 times
 * as high as without; with these it is 2.4 times, and with slices of 25 it was 2.7.
 */
const claimSizes = { most: 500, few: 32, restMs: 10 }
/** Deliveries that a slice of an event for many makes beside publishes. */
const fewFannedOut = 10

export interface PostgresPace extends StorePace {
  readonly claims: ClaimsBesidePublishes
}

/**
 * Publishes, claims and outcomes overlap on connections of their own. They share the server's cores with one another and
 * often with this process, so a backlog is claimed with rests while this process publishes.
 */
export function createPostgresPace(clock: Pick<Clock, 'elapsed' | 'schedule'>): PostgresPace {
  const claims = new ClaimsBesidePublishes(clock, claimSizes)
  return {
    publishes: { alone: 64 },
    claims,
    outcomes: { most: 500, enough: 256, company: new Company(clock, companyMs) },
    get fanOutSlice() {
      return claims.areBeside ? fewFannedOut : receiversPerSlice
    },
    maintenance: {
      targets: 200,
      rows: 1000,
      retentionRows: 500,
      statRows: 100,
    },
  }
}
