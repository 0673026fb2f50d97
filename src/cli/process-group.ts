/**
 * `outhook serve --processes N`: one process that starts N workers and shares its port among them, and does nothing
 * else. Each worker is a whole node that runs the same command line.
 *
 *     start ─► worker up ─► … ends by itself ─► pause, longer each time ─► start
 *                   └─ group stops: drains, ends
 *
 * Until all are up for the first time, a worker that ends of its own accord ends the group with its exit code: the
 * others would fare no better. Afterwards nothing but a signal ends the group.
 */
import cluster, { type Worker } from 'node:cluster'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { exitCodes, WorkerError } from './exit-codes.ts'
import type { GroupMessage, WorkerMessage } from './group-messages.ts'
import type { ServerModule } from './io.ts'

/** A worker that ran for so long is not the one that cannot run. */
const steadyMs = 60_000
const firstPauseMs = 500
const maxPauseMs = 30_000
/** Beyond the drain deadline: the requests to the API end before it begins, within 10 s. */
const stopMarginMs = 15_000
/** Until `/metrics` goes on without a worker that does not answer. */
const snapshotLimitMs = 2_000

export interface GroupOptions {
  readonly processes: number
  readonly drainDeadlineMs: number
  readonly app: Pick<ServerModule, 'renderSnapshots' | 'keepCounters'>
  readonly clock: Clock
  readonly log: Logger
  /** Ends a start that is not over: it rejects with its reason. */
  readonly signal: AbortSignal
}

export interface Group {
  readonly url: string
  /** Drains all. Rejects with `WorkerError` when one did not end well, or not in time. */
  close(): Promise<void>
}

interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

interface Member {
  readonly worker: Worker
  readonly ended: Promise<Ending>
  isUp: boolean
  /** What it last said that it had counted. */
  counted: readonly unknown[]
}

/** Resolves once all are up. Rejects with `WorkerError` when one cannot start. */
export async function startGroup(options: GroupOptions): Promise<Group> {
  // Workers take connections themselves. Handed on by this process, those on their way to a worker that dies or
  // stands still are never answered; the distribution is as even (400 connections to 4 workers: 75 to 127 each).
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ serialization: 'advanced' })
  const group = new ProcessGroup(options)
  options.signal.addEventListener('abort', () => group.giveUp(options.signal.reason), { once: true })
  try {
    // The first one alone: what keeps all of them from starting is said once.
    const url = await group.addWorker()
    await Promise.all(Array.from({ length: options.processes - 1 }, () => group.addWorker()))
    group.allAreUp()
    return { url, close: () => group.close() }
  } catch (error) {
    await group.close().catch(() => {})
    throw error
  }
}

class ProcessGroup {
  readonly #options: GroupOptions
  readonly #members = new Set<Member>()
  readonly #metrics: GroupMetrics
  readonly #running: Promise<void>[] = []
  readonly #failed = Promise.withResolvers<never>()
  readonly #stopping = Promise.withResolvers<void>()
  #state: 'starting' | 'up' | 'stopping' = 'starting'

  constructor(options: GroupOptions) {
    this.#options = options
    this.#metrics = createGroupMetrics(this.#members, options)
    this.#failed.promise.catch(() => {})
  }

  /** Resolves with its address once it is up. */
  addWorker(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#running.push(this.#keepOne(resolve))
    return Promise.race([promise, this.#failed.promise])
  }

  /** Ends the wait for a start that is still under way. */
  giveUp(reason: unknown): void {
    this.#failed.reject(reason)
  }

  allAreUp(): void {
    this.#state = 'up'
  }

  async close(): Promise<void> {
    this.#state = 'stopping'
    this.#stopping.resolve()
    await stopAll([...this.#members], this.#options)
    await Promise.all(this.#running)
  }

  /** Has one worker, and another when that ends, until the group stops. */
  async #keepOne(onUp: (url: string) => void): Promise<void> {
    const { clock, log } = this.#options
    let crashes = 0
    while (!this.#isStopping()) {
      const startedAt = clock.elapsed()
      const member = this.#start(onUp)
      const ending = await member.ended
      this.#members.delete(member)
      this.#metrics.retire(member)
      if (this.#isStopping()) return
      if (this.#state === 'starting' && ending.code !== null) {
        return this.#failed.reject(couldNotStart(member, ending.code))
      }
      crashes = clock.elapsed() - startedAt > steadyMs ? 1 : crashes + 1
      const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (crashes - 1))
      const { id, process } = member.worker
      log.error({ worker: id, pid: process.pid, ...ending, restart_in_ms: pauseMs }, 'a worker ended')
      await Promise.race([pause(clock, pauseMs), this.#stopping.promise])
    }
  }

  /** Asked anew: it changes while one waits. */
  #isStopping(): boolean {
    return this.#state === 'stopping'
  }

  #start(onUp: (url: string) => void): Member {
    const worker = cluster.fork()
    this.#options.log.info({ worker: worker.id, pid: worker.process.pid }, 'worker started')
    const ended = new Promise<Ending>((resolve) => {
      worker.once('exit', (code, signal) => resolve({ code: signal === null ? code : null, signal }))
    })
    const member: Member = { worker, ended, isUp: false, counted: [] }
    this.#members.add(member)
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'up') {
        member.isUp = true
        onUp(message.url)
      } else this.#metrics.take(member, message)
    })
    // A message to a worker that has just ended.
    worker.on('error', () => {})
    return member
  }
}

async function stopAll(members: readonly Member[], { drainDeadlineMs, clock }: GroupOptions): Promise<void> {
  for (const { worker } of members) send(worker, { kind: 'stop' })
  const limitMs = drainDeadlineMs + stopMarginMs
  const cancel = clock.schedule(limitMs, () => {
    for (const { worker } of members) worker.process.kill('SIGKILL')
  })
  const endings = await Promise.all(members.map(({ ended }) => ended))
  cancel()
  const bad = members.flatMap(({ worker }, index) => {
    const { code, signal } = endings[index] as Ending
    return code === 0 ? [] : [`worker ${worker.id} ended with ${signal ?? code}`]
  })
  if (bad.length === 0) return
  throw new WorkerError(
    exitCodes.failure,
    `${bad.join(', ')} while the group stopped; what it had leased is taken over when the leases end`,
  )
}

function couldNotStart({ worker }: Member, code: number): WorkerError {
  return new WorkerError(
    code === exitCodes.ok ? exitCodes.failure : code,
    `worker ${worker.id} ended with ${code} before all were up; it says above why`,
  )
}

interface GroupMetrics {
  /** A worker asks for the text, or answers with what it counted. */
  take(member: Member, message: Exclude<WorkerMessage, { readonly kind: 'up' }>): void
  /** It has ended: what it counted goes on counting. */
  retire(member: Member): void
}

function createGroupMetrics(members: ReadonlySet<Member>, { app, clock }: GroupOptions): GroupMetrics {
  const waiting = new Map<number, (snapshot: readonly unknown[]) => void>()
  let lastId = 0
  let retired: Promise<readonly unknown[]> = Promise.resolve([])

  /** Null when it does not answer in time. */
  const ask = async (member: Member): Promise<readonly unknown[] | null> => {
    const id = ++lastId
    const { promise, resolve } = Promise.withResolvers<readonly unknown[] | null>()
    const cancel = clock.schedule(snapshotLimitMs, () => resolve(null))
    waiting.set(id, resolve)
    send(member.worker, { kind: 'snapshot', id })
    const snapshot = await Promise.race([promise, member.ended.then(() => null)])
    cancel()
    waiting.delete(id)
    if (snapshot !== null) member.counted = snapshot
    return snapshot
  }

  const render = async (): Promise<string> => {
    const asked = [...members].filter(({ isUp }) => isUp)
    const answers = await Promise.all(asked.map(ask))
    const silent = asked.filter((member, index) => answers[index] === null && members.has(member))
    const kept = await app.keepCounters([await retired, ...silent.map(({ counted }) => counted)])
    return app.renderSnapshots([...answers.filter((answer) => answer !== null), kept])
  }

  return {
    take(member, message) {
      if (message.kind === 'snapshot') waiting.get(message.id)?.(message.snapshot as readonly unknown[])
      else {
        // Unanswered, the request for it runs into its own limit.
        render().then(
          (text) => send(member.worker, { kind: 'metrics', id: message.id, text }),
          () => undefined,
        )
      }
    },
    retire({ counted }) {
      const before = retired
      retired = before.then((sum) => app.keepCounters([sum, counted])).catch(() => before)
    },
  }
}

function send(worker: Worker, message: GroupMessage): void {
  if (worker.isConnected()) worker.send(message, undefined, undefined, () => undefined)
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.schedule(ms, resolve))
}
