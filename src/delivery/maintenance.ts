/** The small jobs that keep the store in order while a node runs, each in bounded slices. */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type {
  AuditStore,
  MaintenanceStore,
  RemovedRows,
  Retention,
  StatsStore,
  StorePace,
} from '../store/port.ts'
import type { DeliveryActivity } from './activity.ts'

const reconcileEveryMs = 400
/** Both at once then: an idle process is woken for neither alone. */
const quietEveryMs = 2000
const applyEveryMs = 2000
/** What is not folded is read anew by everybody who looks at figures, so it is kept short. */
const foldStatsEveryMs = 5000
const cleanEveryMs = 60_000

export interface MaintenanceOptions {
  readonly store: MaintenanceStore &
    Pick<AuditStore, 'removeAuditLines'> &
    Pick<StatsStore, 'foldStats'> & { readonly pace: Pick<StorePace, 'maintenance'> }
  readonly retention: Retention
  /** Of lines of the audit log; 0 is for ever. */
  readonly auditRetentionMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly activity: Pick<DeliveryActivity, 'tell'>
  /** Due work was found that had no ready row, or became due through a change. */
  readonly onDueWork: () => void
  /** This node has delivered nothing since it was asked the last time. Default: it has. */
  readonly isQuiet?: () => boolean
}

export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #cancels = new Set<() => void>()
  readonly #jobs = new Set<Promise<void>>()
  #appliedAt: number
  #foldedAt: number
  #isFolding = false
  #stopped = false

  constructor(options: MaintenanceOptions) {
    this.#options = options
    this.#appliedAt = options.clock.elapsed()
    this.#foldedAt = this.#appliedAt
  }

  start(): void {
    const { store, isQuiet, auditRetentionMs: retainMs } = this.#options
    const periodMs = (): number => (isQuiet?.() === true ? quietEveryMs : reconcileEveryMs)
    this.#every(periodMs, () => this.#lookAfterWork())
    this.#every(cleanEveryMs, () => this.#untilDone((limit) => store.deleteExpiredIdempotencyKeys({ limit })))
    this.#every(cleanEveryMs, () => this.#untilDone((limit) => store.foldCounts({ limit })))
    this.#every(cleanEveryMs, () =>
      this.#untilDone((limit) => this.#paced(() => store.removeAuditLines({ retainMs, limit }))),
    )
    this.#every(cleanEveryMs, () => this.#removeExpired())
  }

  /** Finishes what a delete, disable or enable left to do, now rather than at the next round. */
  applyChangesSoon(): void {
    this.#run(() => this.#applyChanges().then(this.#options.onDueWork))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    await Promise.all(this.#jobs)
  }

  #lookAfterWork(): Promise<void> {
    const now = this.#options.clock.elapsed()
    if (now - this.#appliedAt >= applyEveryMs) {
      this.#appliedAt = now
      this.#run(() => this.#applyChanges())
    }
    if (now - this.#foldedAt >= foldStatsEveryMs) {
      this.#foldedAt = now
      this.#run(() => this.#foldStats())
    }
    return this.#reconcile()
  }

  async #reconcile(): Promise<void> {
    const { store, activity, onDueWork } = this.#options
    const { armed } = await store.reconcileReady({ limit: store.pace.maintenance.targets })
    if (armed === 0) return
    activity.tell('targetsRepaired', { count: armed })
    onDueWork()
  }

  async #applyChanges(): Promise<void> {
    const worked = await this.#untilDone((limit) => this.#options.store.applyConfigChanges({ limit }))
    if (worked) this.#options.onDueWork()
  }

  /** True when there was more than one slice. */
  async #untilDone(slice: (limit: number) => Promise<{ readonly more: boolean }>): Promise<boolean> {
    let slices = 0
    while (!this.#stopped && (await slice(this.#options.store.pace.maintenance.rows)).more) slices++
    return slices > 0
  }

  /** Pauses afterwards for as long as it worked, where there is more: a delivery waits for a slice at most. */
  async #paced<T extends { readonly more: boolean }>(slice: () => Promise<T>): Promise<T> {
    const { clock } = this.#options
    const startedAt = clock.elapsed()
    const result = await slice()
    if (result.more) await this.#pause(clock.elapsed() - startedAt)
    return result
  }

  async #foldStats(): Promise<void> {
    const { store } = this.#options
    if (this.#isFolding) return
    this.#isFolding = true
    try {
      const slice = () => store.foldStats({ limit: store.pace.maintenance.statRows })
      while (!this.#stopped && (await this.#paced(slice)).more);
    } finally {
      this.#isFolding = false
    }
  }

  /** Pauses for as long as it worked, so that at least half of the time is for deliveries. */
  async #removeExpired(): Promise<void> {
    const { store, retention, clock, logger, activity } = this.#options
    const begunAt = clock.elapsed()
    const removed = { payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 }
    for (let more = true; more && !this.#stopped; ) {
      const startedAt = clock.elapsed()
      const slice = await store.removeExpired({ retention, limit: store.pace.maintenance.retentionRows })
      for (const [name, rows] of Object.entries(slice.removed)) removed[name as keyof RemovedRows] += rows
      more = slice.more
      if (more) await this.#pause(clock.elapsed() - startedAt)
    }
    activity.tell('retentionRun', { removed, elapsedMs: clock.elapsed() - begunAt })
    if (Object.values(removed).some((rows) => rows > 0)) {
      logger.info(removed, 'removed what was past its retention')
    }
  }

  /** A stop ends it early. */
  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancelTimer = this.#options.clock.schedule(ms, () => end())
    const end = () => {
      cancelTimer()
      this.#cancels.delete(end)
      resolve()
    }
    this.#cancels.add(end)
    return promise
  }

  #every(period: number | (() => number), job: () => Promise<unknown>): void {
    const periodMs = typeof period === 'number' ? period : period()
    const cancel = this.#options.clock.schedule(periodMs, () => {
      this.#cancels.delete(cancel)
      this.#run(job, () => this.#every(period, job))
    })
    this.#cancels.add(cancel)
  }

  #run(job: () => Promise<unknown>, then?: () => void): void {
    if (this.#stopped) return
    const running: Promise<void> = job()
      .then(
        () => {},
        (error: unknown) =>
          this.#options.logger.warn({ err: error }, 'a maintenance job failed and will be tried again'),
      )
      .finally(() => {
        this.#jobs.delete(running)
        if (!this.#stopped) then?.()
      })
    this.#jobs.add(running)
  }
}
