/**
 * Publishes what programs have committed to the outbox in a SQLite file of their own, in its order. One relay for each
 * file, so that none waits for another's.
 *
 *     read a batch ──► publish each row ──► remove the rows ──► …until a batch is empty; then look again later
 *
 * A relay may die between publishing and removing: the next one publishes the rows again, under the same idempotency key,
 * which is the row's id unless the row has one of its own. What may pass (the store is away, the tenant's rate is spent, the
 * ordering key is full) leaves the row where it is, and with it what follows of its ordering key; what is wrong with the
 * row itself is written into it, and it holds up nobody.
 *
 * A relay looks within 25 ms of a `publishInto` of this process, then ever more seldom, down to twice a second, because
 * nobody tells of what other processes commit. Looking asks the file whether anything was committed, and no more.
 */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { hearOfOutbox } from '../core/outbox-news.ts'
import type {
  OutboxFile,
  OutboxFinish,
  OutboxRead,
  OutboxRow,
  OutboxRowKey,
  RefusedOutboxRow,
} from '../store/port.ts'
import type { OutboxPublisher, PutOff, RowFate } from './outbox-publisher.ts'
import { KeyHeldError } from './publish-request.ts'

const minWaitMs = 25
const maxWaitMs = 500
/** Published, and not removed because somebody holds a lock on the file. */
const maxUnfinished = 2000
/** Of rows in one line of the log. */
const maxNamedRows = 10

export interface OutboxRelayOptions {
  /** As it was configured, such as `sqlite:app.db`. */
  readonly name: string
  readonly file: OutboxFile
  readonly publisher: Pick<OutboxPublisher, 'publishInOrder'>
  readonly clock: Clock
  readonly logger: Logger
}

/** What metrics tell of one outbox. */
export interface OutboxState {
  readonly name: string
  /** What keeps it from being relayed; null: nothing. */
  readonly problem: string | null
  /** Rows since this process began. */
  readonly relayed: number
  readonly refused: number
}

export class OutboxRelay {
  readonly #options: OutboxRelayOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #waitMs = minWaitMs
  #cancelWait: (() => void) | null = null
  #stopHearing: (() => void) | null = null
  #looking: Promise<void> | null = null
  /** Of the file, when all in it was relayed; null: something may be left. */
  #version: string | null = null
  #unfinished: OutboxFinish[] = []
  /** Tenants as rows name them, whose rate is spent until then, on the elapsed scale. */
  readonly #spent = new Map<string | null, number>()
  /** Since the last pass from the first row. */
  #putOff: PutOff = new Map()
  #problem: string | null = null
  #relayed = 0
  #refused = 0

  constructor(options: OutboxRelayOptions) {
    this.#options = options
  }

  get state(): OutboxState {
    const { name } = this.#options
    return { name, problem: this.#problem, relayed: this.#relayed, refused: this.#refused }
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#stopHearing = hearOfOutbox(() => this.#wake())
    this.#lookAfter(0)
  }

  /** Lets the batch under way end. Can be called twice. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#stopHearing?.()
    this.#cancelWait?.()
    await this.#looking
    await this.#options.file.close()
  }

  /** Something is about to be committed: looks within 25 ms, and often for a while. */
  #wake(): void {
    const isSoon = this.#waitMs === minWaitMs
    this.#waitMs = minWaitMs
    if (this.#cancelWait === null || isSoon || this.#state !== 'running') return
    this.#cancelWait()
    this.#lookAfter(this.#waitMs)
  }

  #lookAfter(waitMs: number): void {
    this.#cancelWait = this.#options.clock.schedule(waitMs, () => {
      this.#cancelWait = null
      this.#waitMs = Math.min(this.#waitMs * 2, maxWaitMs)
      this.#looking = this.#look().then(() => {
        if (this.#state === 'running') this.#lookAfter(this.#waitMs)
      })
    })
  }

  /** Never rejects: what went wrong is tried again at the next look. */
  async #look(): Promise<void> {
    try {
      const left = await this.#relayAll()
      this.#setProblem(left)
    } catch (error) {
      this.#version = null
      this.#setProblem(error)
    }
  }

  /** Everything that is there. Resolves with what kept some rows from being published; null: nothing did. */
  async #relayAll(): Promise<unknown> {
    const { file } = this.#options
    let first: string | null = null
    let left: unknown = null
    let after: string | null = null
    let isLocked: unknown = await this.#finishAll()
    after = this.#unfinished.at(-1)?.relayed.at(-1)?.place ?? null
    // A pass that begins further on leaves rows behind it that were put off, and must not be overtaken either.
    if (after === null) this.#putOff = new Map()
    const putOff = this.#putOff
    const without = new Set(this.#withoutTokens())
    while (this.#state === 'running') {
      const read = await file.read({ after, without: [...without], unlessVersion: this.#version })
      if (read === null) return null
      first ??= read.version
      this.#version = null
      if (read.last === null) break
      const { finish, later } = await this.#publishAll(read, putOff)
      left ??= later
      for (const tenant of this.#spent.keys()) without.add(tenant)
      const isIdle = finish.relayed.length + finish.refused.length === 0
      if (!isIdle) {
        this.#waitMs = minWaitMs
        this.#unfinished.push(finish)
        isLocked = await this.#finishAll()
      }
      if ((isIdle && later !== null) || this.#countUnfinished() >= maxUnfinished) break
      after = read.last
    }
    const isAll = left === null && this.#unfinished.length === 0 && without.size === 0 && putOff.size === 0
    if (isAll) this.#version = first
    return left ?? isLocked
  }

  #countUnfinished(): number {
    return this.#unfinished.reduce((sum, { relayed, refused }) => sum + relayed.length + refused.length, 0)
  }

  /** Removes what was published. Resolves with what keeps the file from being written; null: nothing does. */
  async #finishAll(): Promise<unknown> {
    for (let next = this.#unfinished[0]; next !== undefined; next = this.#unfinished[0]) {
      try {
        if (next.relayed.length + next.refused.length > 0) await this.#options.file.finish(next)
        this.#unfinished.shift()
      } catch (error) {
        // Only a lock leaves the file as it is; else its rows are read again, and their keys keep them one event.
        if (!isBusy(error)) {
          this.#unfinished = []
          throw error
        }
        return error
      }
    }
    return null
  }

  async #publishAll(
    { rows, refused: unreadable }: Pick<OutboxRead, 'rows' | 'refused'>,
    putOff: PutOff,
  ): Promise<{ readonly finish: OutboxFinish; readonly later: unknown }> {
    const fates = await this.#options.publisher.publishInOrder(rows, putOff)
    const relayed: OutboxRowKey[] = []
    const refused: RefusedOutboxRow[] = [...unreadable]
    let later: unknown = null
    rows.forEach((row, index) => {
      const { place, id } = row
      const fate = fates[index] as RowFate
      if (fate.kind === 'relayed') relayed.push({ place, id })
      else if (fate.kind === 'refused') refused.push({ place, id, error: fate.error })
      else if (!this.#noteSpentRate(row, fate.error) && !isOfItsKey(fate.error)) later ??= fate.error
    })
    this.#relayed += relayed.length
    this.#refused += refused.length
    if (refused.length > 0) this.#tellOfRefused(refused)
    return { finish: { relayed, refused }, later }
  }

  #withoutTokens(): (string | null)[] {
    const now = this.#options.clock.elapsed()
    for (const [tenant, until] of this.#spent) if (until <= now) this.#spent.delete(tenant)
    return [...this.#spent.keys()]
  }

  /** True: the tenant may publish no more for now, which is no problem of the outbox. */
  #noteSpentRate({ tenant }: OutboxRow, error: unknown): boolean {
    if (!(error instanceof OuthookError) || error.code !== 'rate_limited') return false
    const waitMs = (error.retryAfterSeconds ?? 1) * 1000
    this.#spent.set(tenant, this.#options.clock.elapsed() + waitMs)
    return true
  }

  #tellOfRefused(refused: readonly RefusedOutboxRow[]): void {
    const { logger, name } = this.#options
    const rows = refused.slice(0, maxNamedRows).map(({ id, error }) => ({ id, error }))
    logger.error(
      { outbox: name, count: refused.length, rows },
      `rows of the outbox ${name} are no events and were set aside; their column error says why. ` +
        'Correct them and set it to null, or delete them',
    )
  }

  /** Once for each: while a file is away every look fails. */
  #setProblem(error: unknown): void {
    const { logger, name } = this.#options
    const problem = error === null ? null : error instanceof Error ? error.message : String(error)
    if (problem === this.#problem) return
    this.#problem = problem
    if (problem === null) logger.info({ outbox: name }, `the outbox ${name} is relayed again`)
    else if (isBusy(error)) logger.warn({ err: error, outbox: name }, problem)
    else if (this.#state === 'running') {
      logger.error({ err: error, outbox: name }, `events of the outbox ${name} wait: ${problem}`)
    }
  }
}

/**
 * Many of its ordering key wait, which the list of ordering keys shows, or an event of the key for many is being fanned
 * out. Rows of other keys go on, and it is no problem of the outbox.
 */
function isOfItsKey(error: unknown): boolean {
  return error instanceof KeyHeldError || (error instanceof OuthookError && error.code === 'backlog_full')
}

/** Somebody holds a lock, which passes; rows may have been published all the same. */
function isBusy(error: unknown): boolean {
  return error instanceof OuthookError && error.fault === 'busy'
}
