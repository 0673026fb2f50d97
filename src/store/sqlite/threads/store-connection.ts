/** What the threads of a store do together: the writer, the reader, and what keeps the log small and the file watched. */
import { resolve } from 'node:path'
import { type Clock, createSystemClock } from '../../../core/clock.ts'
import { OuthookError } from '../../../core/errors.ts'
import { type Logger, silentLogger } from '../../../core/logger.ts'
import type { ResumedTime } from '../../../core/time-line.ts'
import { Company } from '../../company.ts'
import type { ActorOf, StorePace, StoreTime } from '../../port.ts'
import { Checkpointer } from '../connection/checkpointer.ts'
import type { Copied } from '../connection/database.ts'
import { Displacements } from '../connection/displacements.ts'
import { type ClockReading, LineClock, readClocks } from '../connection/line-clock.ts'
import type { ReadRequest } from '../connection/open-reader.ts'
import type { WriterOptions } from '../connection/open-writer.ts'
import { StoreGuard } from '../connection/store-guard.ts'
import type { ReadOperations } from '../read/operations.ts'
import { GroupCommit } from './group-commit.ts'
import { type StoreService, StoreThread } from './store-thread.ts'
import { type ReadName, type Result, type TickReply, toError, type WriteName } from './tick.ts'
import type { WriteOperations } from './write-operations.ts'
import { companyMs, WriterSchedule } from './writer-schedule.ts'

export interface SqliteStoreOptions {
  /** A file, made if it is not there, or `:memory:`. */
  readonly path: string
  readonly clock: Clock
  /** Default: silent. */
  readonly logger?: Logger
  /** Called when opening takes long because the file is checked after a crash; by then this process owns it. */
  readonly onSlowOpen?: (() => void) | undefined
  /** How long another owner of the file is waited for; 5 s by default. */
  readonly lockWaitMs?: number
  /** Who makes the writes of now. Default: nobody, so that no line is written. */
  readonly actorOf?: ActorOf
  /** Makes a new database where one is missing though its key file is there. Default false: that is refused. */
  readonly replaceLost?: boolean
  /** Pages that the database may have: a disk of that size. */
  readonly maxPageCount?: number
  /**
   * Runs in the caller's thread instead of two of its own: opens in 5 ms instead of 100, but every commit blocks the
   * event loop. For what is kept in memory, and for tests.
   */
  readonly inProcess?: boolean
}

/** Of the log, when no other thread keeps it small: a commit does it then. */
const lastResortPages = 16_000

type Tail<Operation> = Operation extends (context: never, ...args: infer Args) => unknown ? Args : never
type Answer<Operation> = Operation extends (...args: never) => infer Value ? Value : never

export interface StoreConnection {
  write<Name extends WriteName>(
    name: Name,
    ...args: Tail<WriteOperations[Name]>
  ): Promise<Answer<WriteOperations[Name]>>
  read<Name extends ReadName>(
    name: Name,
    ...args: Tail<ReadOperations[Name]>
  ): Promise<Answer<ReadOperations[Name]>>
  readonly pace: StorePace
  readonly time: StoreTime
  readonly commits: number
  readonly lost: Promise<OuthookError>
  close(): Promise<void>
}

export async function connect(options: SqliteStoreOptions): Promise<StoreConnection> {
  const { clock, path, logger = silentLogger } = options
  const { writer, reader, checkpointer, time } = await openServices(options)
  const guard = new StoreGuard(path === ':memory:' ? null : resolve(path), logger)
  const upkeep =
    reader === null ? null : new Displacements({ path: resolve(path), clock, logger, guard, reader })
  const schedule = new WriterSchedule(clock, createCompany(options))
  const group = new GroupCommit({
    time,
    schedule,
    async send(tick) {
      const reply = await writer.request<TickReply>(tick, tick.bytes === null ? [] : [tick.bytes.buffer])
      for (const result of reply.results) guard.note(result)
      checkpointer?.runIfDue(reply.changes)
      return reply
    },
  })
  const reads = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null

  async function readFrom(service: StoreService, name: ReadName, args: readonly unknown[]): Promise<unknown> {
    const result = await service.request<Result>({
      now: time.now(),
      line: time.line,
      name,
      args,
    } satisfies ReadRequest)
    guard.note(result)
    if (!result.ok) throw toError(result.failure)
    return result.value
  }

  async function shutDown(): Promise<void> {
    await group.idle()
    await Promise.allSettled([...reads, checkpointer?.idle()])
    await upkeep?.close()
    // The writer last: whoever closes last empties the write-ahead log.
    await reader?.close()
    await writer.close()
  }

  return {
    pace: schedule.pace,
    time,
    get commits() {
      return group.commits
    },
    write: (name, ...args) => {
      if (closing !== null) return Promise.reject(closed())
      const refusal = guard.refusalOf(name)
      return refusal === null ? group.call({ kind: 'write', name, args }) : Promise.reject(refusal)
    },
    read: (name, ...args) => {
      if (closing !== null) return Promise.reject(closed())
      if (reader === null) return group.call({ kind: 'read', name, args })
      const reading = readFrom(reader, name, args)
      reads.add(reading)
      const forget = (): unknown => reads.delete(reading)
      reading.then(forget, forget)
      return reading as Promise<never>
    },
    lost: Promise.race([writer, ...(reader === null ? [] : [reader])].map((service) => service.lost)),
    close: () => (closing ??= shutDown()),
  }
}

/** Threads keep real time, whatever clock the engine goes by. */
function createCompany({ inProcess = false }: SqliteStoreOptions): Company | null {
  return inProcess ? null : new Company(createSystemClock(), companyMs)
}

interface Services {
  readonly writer: StoreService
  /** Null: reads go to the writer, because nobody else can see an in-memory database. */
  readonly reader: StoreService | null
  /** Null: commits do it themselves. */
  readonly checkpointer: Checkpointer | null
  readonly time: StoreTime
}

async function openServices(options: SqliteStoreOptions): Promise<Services> {
  const { path } = options
  const read = readClocks(options.clock)
  const writerOptions: WriterOptions = {
    path,
    now: read.wall,
    lockWaitMs: options.lockWaitMs ?? 5000,
    maxPageCount: options.maxPageCount ?? null,
    replaceLost: options.replaceLost ?? false,
  }
  if (options.inProcess === true) {
    loadSqliteQuietly()
    const { openInProcess } = await import('./in-process.ts')
    const services = openInProcess(writerOptions)
    return { ...services, checkpointer: null, time: await openTime(services.writer, options, read) }
  }
  const writer = await StoreThread.start(
    'writer',
    { ...writerOptions, checkpointPages: lastResortPages },
    (text) => {
      ;(options.logger ?? silentLogger).warn({}, text)
      options.onSlowOpen?.()
    },
  )
  try {
    const time = await openTime(writer, options, read)
    if (path === ':memory:') return { writer, reader: null, checkpointer: null, time }
    const reader = await StoreThread.start('reader', { path })
    const checkpointer = new Checkpointer({
      clock: options.clock,
      copy: () => reader.request<Copied | null>('checkpoint'),
      finish: () => writer.request('checkpoint'),
    })
    return { writer, reader, checkpointer, time }
  } catch (error) {
    await writer.close()
    throw error
  }
}

async function openTime(
  writer: StoreService,
  { clock, logger = silentLogger }: SqliteStoreOptions,
  read: ClockReading,
): Promise<StoreTime> {
  const resumed = await writer.request<ResumedTime>('opened')
  return new LineClock({ clock, logger, resumed, read })
}

/** Node 22 says on stderr that it is experimental; a thread has a flag against that. Nothing else is said meanwhile. */
function loadSqliteQuietly(): void {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

function closed(): OuthookError {
  return new OuthookError('closed', 'the store is closed; open it again')
}
