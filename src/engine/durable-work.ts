/** Puts together the loops of what is done slice by slice and outlives every process. */
import type { Clock } from '../core/clock.ts'
import type { IdFactory } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { Store } from '../store/port.ts'
import { expiryEvents } from './expiry-events.ts'
import { fanOutSlices } from './fan-out-slices.ts'
import { JobRunner } from './job-runner.ts'
import { type OperationalEventsOptions, operationalEvents } from './operational-events.ts'
import { tenantRemovals } from './tenant-removals.ts'
import { type DurableWork, WorkLoop } from './work-loop.ts'

/** How often each is looked for that another process made, or left behind when it died. */
const lookEveryMs = { expiries: 5000, fanOuts: 5000, jobs: 1000, notices: 5000, removals: 5000 }
const onlyWhenTold = { expiries: null, fanOuts: null, jobs: null, notices: null, removals: null }

export interface DurableWorkParts {
  readonly store: Store
  readonly ids: IdFactory
  readonly clock: Clock
  readonly logger: Logger
  readonly masterKeys: DurableWork
  /** Deliveries became due that nobody has claimed. */
  readonly onDueWork: () => void
  /** A job has enabled the endpoint. */
  readonly onEnabled: (tenantId: string, endpointId: string) => void
  /** What operational events are published with. */
  readonly operational: Omit<OperationalEventsOptions, 'lookEveryMs'>
}

export interface DurableWorkLoops {
  readonly expiries: WorkLoop
  readonly fanOuts: WorkLoop
  readonly jobs: WorkLoop
  readonly notices: WorkLoop
  readonly masterKeys: WorkLoop
  readonly removals: WorkLoop
  start(): void
  /** Can be called twice. */
  stop(): Promise<void>
}

export function createDurableWork(parts: DurableWorkParts): DurableWorkLoops {
  const { store, ids, clock, onDueWork, onEnabled } = parts
  // Where one process owns the store, nothing comes from elsewhere.
  const every = store.cluster === null ? onlyWhenTold : lookEveryMs
  const fanOuts = fanOutSlices({ store, ids, lookEveryMs: every.fanOuts, onDueWork })
  const jobs = new JobRunner({ store, ids, clock, lookEveryMs: every.jobs, onDueWork, onEnabled })
  const { publisher, routing } = parts.operational
  const expiries = expiryEvents({ credentials: store, publisher, routing, lookEveryMs: every.expiries })
  const notices = operationalEvents({ ...parts.operational, lookEveryMs: every.notices })
  const removals = tenantRemovals({ store, lookEveryMs: every.removals })
  const loops = {
    expiries: new WorkLoop(expiries, parts),
    fanOuts: new WorkLoop(fanOuts, parts),
    jobs: new WorkLoop(jobs, parts),
    notices: new WorkLoop(notices, parts),
    masterKeys: new WorkLoop(parts.masterKeys, parts),
    removals: new WorkLoop(removals, parts),
  }
  return {
    ...loops,
    start() {
      for (const loop of Object.values(loops)) loop.start()
    },
    async stop() {
      await Promise.all(Object.values(loops).map((loop) => loop.stop()))
    },
  }
}
