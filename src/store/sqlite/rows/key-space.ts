/**
 * The integers that key the large tables. One is made of the id's millisecond and a number that the writer gives in order
 * of arrival, so it sorts like the id, fits a double until 2090, and asks nothing of whoever makes ids. More than 4096
 * ids of one millisecond (a large fan-out; a clock that was set back) run over into the integers of the next ones.
 */
import { idTime, idToBytes } from '../../../core/ids.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'

const epochMs = 1_600_000_000_000
const perMs = 4096
/** The largest that is exact, and leaves room to run over. */
const latestMs = epochMs + Math.floor(Number.MAX_SAFE_INTEGER / perMs) - perMs

export type KeyedTable = 'events' | 'live_deliveries' | 'deliveries'

/** Below every key. */
export const lowestKey: number = Number.MIN_SAFE_INTEGER

/** The least key of ids of that millisecond; the largest is less than that of the next one, unless they run over. */
export function keyAt(timeMs: number): number {
  return (Math.min(Math.max(0, Math.trunc(timeMs)), latestMs) - epochMs) * perMs
}

/** The millisecond of a key. */
export function timeAt(key: number): number {
  return epochMs + Math.floor(key / perMs)
}

/** Below every key of the same millisecond, if none ran over into it. */
export function startOfMillisecond(key: number): number {
  return Math.floor(key / perMs) * perMs
}

/** The key of the row with this id: a range of one millisecond is read, and where that one ran over it is bisected. */
export function findKey(context: PreparesStatements, table: KeyedTable, id: string): number | null {
  const timeMs = idTime(id)
  const start = keyAt(timeMs)
  const bytes = idToBytes(id)
  const found = context
    .prepare(`select k from ${table} where k >= ? and k < ? and id = ?`) // primary key
    .get(start, start + perMs, bytes)
  if (found !== undefined) return found.k as number
  return findRunOver(context, { table, bytes, from: start + perMs })
}

interface Search {
  readonly table: KeyedTable
  readonly bytes: Uint8Array
  readonly from: number
}

function findRunOver(context: PreparesStatements, { table, bytes, from }: Search): number | null {
  const next = context.prepare(`select k, id from ${table} where k >= ? order by k limit 1`) // primary key
  /** The first row from there on; null when it is not below the id that is looked for. */
  const below = (key: number): number | null => {
    const row = next.get(key)
    return row !== undefined && Buffer.compare(row.id as Uint8Array, bytes) < 0 ? (row.k as number) : null
  }
  let low = from
  let high = from
  for (let step = perMs; ; step *= 2) {
    const key = below(high)
    if (key === null) break
    low = key + 1
    high = low + step
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const key = below(middle)
    if (key === null) high = middle
    else low = key + 1
  }
  const row = next.get(low)
  return row !== undefined && Buffer.compare(row.id as Uint8Array, bytes) === 0 ? (row.k as number) : null
}

interface Last {
  readonly key: number
  readonly id: string
}

/** What is keyed but in none of the tables. */
export interface UnwrittenKeys {
  has(id: string): boolean
  entries(): Iterable<Last>
}

/** Gives keys to new rows of some tables that share them. Ids are given one prefix, so their texts compare like them. */
export class KeySpace {
  readonly #context: PreparesStatements
  readonly #tables: readonly KeyedTable[]
  readonly #unwritten: UnwrittenKeys
  readonly #toId: (bytes: Uint8Array) => string
  /** The largest. */
  #last: Last | null = null
  /** By the first key of a millisecond, the last that came after ids of a later one. */
  readonly #late = new Map<number, number>()
  #undoTo: Last | null = null

  constructor(
    context: PreparesStatements,
    options: {
      readonly tables: readonly KeyedTable[]
      readonly unwritten: UnwrittenKeys
      readonly toId: (bytes: Uint8Array) => string
    },
  ) {
    this.#context = context
    this.#tables = options.tables
    this.#unwritten = options.unwritten
    this.#toId = options.toId
  }

  /** Throws when the id has a row already. */
  next(id: string): number {
    this.#last ??= this.#findLast()
    const start = keyAt(idTime(id))
    if (id <= this.#last.id) return this.#nextLate(id, start)
    const key = Math.max(start, this.#last.key + 1)
    this.#last = { key, id }
    // What runs over takes keys of milliseconds that late ones may have been counted in.
    if (key >= start + perMs) this.#late.clear()
    return key
  }

  beginUnit(): void {
    this.#undoTo = this.#last
  }

  undoUnit(): void {
    this.#last = this.#undoTo
    this.#late.clear()
  }

  forget(): void {
    this.#last = null
    this.#undoTo = null
    this.#late.clear()
  }

  /** Ids from a clock that was set back, or that overtook each other, go behind those of their millisecond. */
  #nextLate(id: string, start: number): number {
    this.#refuseUsed(id)
    const last = this.#last as Last
    const isCurrent = last.key >= start && last.key < start + perMs
    const key = isCurrent ? last.key + 1 : (this.#late.get(start) ?? this.#lastOf(start)) + 1
    if (isCurrent || key >= start + perMs) {
      this.#last = { key: last.key + 1, id: last.id }
      return last.key + 1
    }
    if (this.#late.size >= perMs) this.#late.clear()
    this.#late.set(start, key)
    return key
  }

  #refuseUsed(id: string): void {
    const isUsed =
      this.#unwritten.has(id) || this.#tables.some((table) => findKey(this.#context, table, id) !== null)
    if (isUsed) throw new Error(`there is a row with the id ${id} already`)
  }

  /** Of a millisecond, beginning there. */
  #lastOf(start: number): number {
    let last = start - 1
    for (const table of this.#tables) {
      const row = this.#context
        .prepare(`select k from ${table} where k >= ? and k < ? order by k desc limit 1`) // primary key
        .get(start, start + perMs)
      if (row !== undefined) last = Math.max(last, row.k as number)
    }
    for (const { key } of this.#unwritten.entries()) {
      if (key >= start && key < start + perMs) last = Math.max(last, key)
    }
    return last
  }

  /** The largest id is not always that of the largest key: ids may have overtaken each other within its millisecond. */
  #findLast(): Last {
    let key = lowestKey
    for (const table of this.#tables) {
      const row = this.#context.prepare(`select max(k) as k from ${table}`).get() // primary key
      key = Math.max(key, (row?.k ?? lowestKey) as number)
    }
    const unwritten = Array.from(this.#unwritten.entries())
    for (const entry of unwritten) key = Math.max(key, entry.key)
    const start = startOfMillisecond(key)
    let id = ''
    for (const table of this.#tables) {
      const row = this.#context.prepare(`select max(id) as id from ${table} where k >= ?`).get(start) // primary key
      const found = (row?.id ?? null) as Uint8Array | null
      if (found !== null && this.#toId(found) > id) id = this.#toId(found)
    }
    for (const entry of unwritten) if (entry.key >= start && entry.id > id) id = entry.id
    return { key, id }
  }
}
