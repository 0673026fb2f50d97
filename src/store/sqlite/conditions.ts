import type { SQLInputValue } from 'node:sqlite'

/** The `where` of a listing: conditions chosen by the filter, values always as parameters. */
export class Conditions {
  readonly #conditions: string[] = []
  readonly values: SQLInputValue[] = []

  equal(column: string, value: SQLInputValue): this {
    return this.#add(`${column} = ?`, value)
  }

  atLeast(column: string, value: SQLInputValue): this {
    return this.#add(`${column} >= ?`, value)
  }

  below(column: string, value: SQLInputValue): this {
    return this.#add(`${column} < ?`, value)
  }

  /** Nothing on the first page. */
  idBefore(column: string, id: Uint8Array | null): this {
    return id === null ? this : this.#add(`${column} < ?`, id)
  }

  /** A fixed text, never one of a caller. */
  literal(condition: string): this {
    this.#conditions.push(condition)
    return this
  }

  get sql(): string {
    return `where ${this.#conditions.join(' and ')}`
  }

  #add(condition: string, value: SQLInputValue): this {
    this.#conditions.push(condition)
    this.values.push(value)
    return this
  }
}
