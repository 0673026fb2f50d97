/**
 * Runs ticks: every call in a savepoint of one transaction, so that a call that fails undoes only itself. A fault
 * of the store (disk full, i/o error, a commit that fails) undoes the tick and rejects all its calls.
 */
import type { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import { createIdFactory } from '../../../core/ids.ts'
import type { TimeLine } from '../../../core/time-line.ts'
import { failureOf } from '../connection/failure-of.ts'
import { isStoreFault } from '../connection/result-codes.ts'
import { StatementCache } from '../connection/statement-cache.ts'
import { runRead } from '../read/operations.ts'
import { CountDeltas } from '../record/count-deltas.ts'
import { endHandoffs } from '../upkeep/recover.ts'
import { BytePacker, ByteUnpacker } from './packed-bytes.ts'
import {
  type Call,
  type Failure,
  packResult,
  type Result,
  storeFailure,
  type Tick,
  type TickReply,
  toFailure,
  unpackCall,
} from './tick.ts'
import type { WriteContext } from './write-context.ts'
import { createWriteOperations } from './write-operations.ts'
import { WriterMemory } from './writer-memory.ts'

type WriteOperation = (context: WriteContext, ...args: readonly unknown[]) => unknown

export class Writer {
  readonly #database: DatabaseSync
  readonly #statements: StatementCache
  readonly #memory: WriterMemory
  readonly #operations = createWriteOperations() as unknown as Readonly<Record<string, WriteOperation>>
  readonly #ids = createIdFactory(() => this.#moment)
  #moment = 0
  #commits = 0

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#statements = new StatementCache(database)
    this.#memory = new WriterMemory(this.#statements)
  }

  /** Takes over from an owner that is gone, at this time of the wall clock. Where the store's time goes on. */
  takeOver(wall: number): number {
    const now = this.#memory.time.resume(this.#statements, wall)
    const failure = this.#transaction(now, (counts) => endHandoffs(this.#context(now, counts)))
    if (failure !== null) throw new OuthookError(failure.code, failure.message)
    this.#commits = 0
    return now
  }

  get line(): TimeLine {
    return this.#memory.time.line
  }

  run(tick: Tick): TickReply {
    const bytes = new ByteUnpacker(tick.bytes)
    for (const call of tick.calls) unpackCall(call, bytes)
    if (tick.line !== undefined) this.#memory.time.change(tick.line)
    const results = this.#runWrites(tick)
    for (const [index, call] of tick.calls.entries()) {
      if (call.kind === 'read') results[index] = this.#runRead(call, tick.now)
    }
    const packer = new BytePacker()
    for (const [index, call] of tick.calls.entries()) packResult(call, results[index] as Result, packer)
    return { results, bytes: packer.pack(), commits: this.#commits, changes: this.#countChanges() }
  }

  #countChanges(): number {
    return this.#statements.prepare('select total_changes() as changes').get()?.changes as number
  }

  #runWrites(tick: Tick): Result[] {
    const results: Result[] = []
    const writes = tick.calls.filter((call) => call.kind === 'write').length
    if (writes === 0) return results
    const failure = this.#transaction(tick.now, (counts) => {
      for (const [index, call] of tick.calls.entries()) {
        if (call.kind !== 'write') continue
        results[index] =
          writes === 1 ? this.#runAlone(call, tick.now, counts) : this.#runApart(call, tick.now, counts)
      }
    })
    if (failure === null) return results
    for (const [index, call] of tick.calls.entries()) {
      if (call.kind === 'write') results[index] = { ok: false, failure }
    }
    return results
  }

  /** Compiled once: a tick of two calls has six of these, which took 28 µs of it with `exec` and take 14. */
  #execute(sql: string): void {
    this.#statements.prepare(sql).run()
  }

  /** Null when everything is committed; else everything is undone. */
  #transaction(now: number, work: (counts: CountDeltas) => void): Failure | null {
    const counts = new CountDeltas()
    try {
      this.#execute('begin immediate')
      this.#memory.beginTick(now)
      work(counts)
      counts.write(this.#statements, this.#memory, now)
      this.#memory.leases.write(this.#statements)
      this.#memory.time.write(this.#statements, now)
      this.#execute('commit')
      this.#memory.leases.committed()
      this.#commits += 1
      return null
    } catch (error) {
      this.#memory.undoTick()
      // SQLite rolls back by itself after some faults, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('rollback')
      return error instanceof TickFault ? storeFailure(error) : failureOf(error, this.#database)
    }
  }

  /** The only call of the tick needs no savepoint: the transaction is its own. */
  #runAlone(call: Call, now: number, counts: CountDeltas): Result {
    return { ok: true, value: this.#call(call, now, counts) }
  }

  #runApart(call: Call, now: number, counts: CountDeltas): Result {
    const ownCounts = new CountDeltas()
    this.#execute('savepoint call')
    this.#memory.beginUnit()
    try {
      const value = this.#call(call, now, ownCounts)
      this.#execute('release call')
      ownCounts.mergeInto(counts)
      return { ok: true, value }
    } catch (error) {
      if (isStoreFault(error)) throw error
      if (!this.#database.isTransaction) throw new TickFault('the transaction is gone', { cause: error })
      this.#execute('rollback to call')
      this.#execute('release call')
      this.#memory.undoUnit()
      return { ok: false, failure: toFailure(error) }
    }
  }

  #call(call: Call, now: number, counts: CountDeltas): unknown {
    const operation = this.#operations[call.name] as WriteOperation
    return operation(this.#context(now, counts), ...call.args)
  }

  #context(now: number, counts: CountDeltas): WriteContext {
    this.#moment = now
    return {
      now,
      line: this.line,
      counts,
      ids: this.#ids,
      memory: this.#memory,
      prepare: <Row>(sql: string) => this.#statements.prepare<Row>(sql),
    }
  }

  #runRead(call: Extract<Call, { kind: 'read' }>, now: number): Result {
    try {
      const { line } = this
      const context = { now, line, prepare: <Row>(sql: string) => this.#statements.prepare<Row>(sql) }
      return { ok: true, value: runRead(context, call.name, call.args) }
    } catch (error) {
      return { ok: false, failure: failureOf(error, this.#database) }
    }
  }
}

class TickFault extends Error {}
