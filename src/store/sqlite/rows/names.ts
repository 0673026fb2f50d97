/** The integers that stand for ids and topics in the large tables. They are never changed or removed. */
import { bytesToId, type IdPrefix, idToBytes } from '../../../core/ids.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'

const maxCached = 50_000
/** Topics beyond these are written out: whoever makes one per event must not fill a table that is never emptied. */
const maxTopics = 10_000

/** The writer's: names what has no integer yet. */
export class Names {
  readonly #statements: PreparesStatements
  readonly #numbers = new Map<string, number>()
  readonly #ids = new Map<number, string>()
  readonly #topics = new Map<string, number>()
  #hasNew = false

  constructor(statements: PreparesStatements) {
    this.#statements = statements
  }

  numberOf(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const bytes = idToBytes(id)
    const number = findNumber(this.#statements, bytes) ?? this.#insert(bytes)
    keep(this.#numbers, id, number)
    return number
  }

  /** 0 for none. */
  numberOrNone(id: string | null): number {
    return id === null ? 0 : this.numberOf(id)
  }

  idOf(number: number, prefix: IdPrefix): string {
    const known = this.#ids.get(number)
    if (known !== undefined) return known
    const row = this.#statements.prepare('select id from names where n = ?').get(number) // primary key
    const id = bytesToId(prefix, row?.id as Uint8Array)
    keep(this.#ids, number, id)
    return id
  }

  /** Null: there are too many topics, and this one is written out. */
  topicNumber(topic: string): number | null {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    const number = findTopic(this.#statements, topic) ?? this.#insertTopic(topic)
    if (number !== null) keep(this.#topics, topic, number)
    return number
  }

  beginUnit(): void {
    this.#hasNew = false
  }

  undoUnit(): void {
    if (this.#hasNew) this.forget()
  }

  forget(): void {
    this.#numbers.clear()
    this.#ids.clear()
    this.#topics.clear()
    this.#hasNew = false
  }

  #insert(bytes: Uint8Array): number {
    this.#hasNew = true
    const { lastInsertRowid } = this.#statements.prepare('insert into names (id) values (?)').run(bytes)
    return Number(lastInsertRowid)
  }

  #insertTopic(topic: string): number | null {
    const row = this.#statements.prepare('select max(n) as n from topics').get()
    if (((row?.n as number | null) ?? 0) >= maxTopics) return null
    this.#hasNew = true
    const { lastInsertRowid } = this.#statements.prepare('insert into topics (topic) values (?)').run(topic)
    return Number(lastInsertRowid)
  }
}

/** Null: nothing was ever written for that id. */
export function findNumber(statements: PreparesStatements, id: Uint8Array): number | null {
  const row = statements.prepare('select n from names where id = ?').get(id) // its unique index
  return row === undefined ? null : (row.n as number)
}

export function findTopic(statements: PreparesStatements, topic: string): number | null {
  const row = statements.prepare('select n from topics where topic = ?').get(topic) // its unique index
  return row === undefined ? null : (row.n as number)
}

function keep<Key, Value>(cache: Map<Key, Value>, key: Key, value: Value): void {
  if (cache.size >= maxCached) cache.clear()
  cache.set(key, value)
}
