/** The `where` of a listing: conditions chosen by the filter, values always as parameters. */
export class Conditions {
  readonly #conditions: string[] = []
  readonly values: unknown[]

  /** With what stands before the conditions' own parameters. */
  constructor(leading: readonly unknown[] = []) {
    this.values = [...leading]
  }

  equal(column: string, value: string): this {
    return this.#add(`${column} =`, value)
  }

  atLeast(column: string, value: string | number): this {
    return this.#add(`${column} >=`, value)
  }

  below(column: string, value: string | number): this {
    return this.#add(`${column} <`, value)
  }

  /** Nothing on the first page. */
  idBefore(column: string, id: string | null): this {
    return id === null ? this : this.#add(`${column} <`, id)
  }

  /** A fixed text, never one of a caller. */
  literal(condition: string): this {
    this.#conditions.push(condition)
    return this
  }

  /** One more parameter after those of the conditions; its place in the text. */
  parameter(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }

  get sql(): string {
    return `where ${this.#conditions.join(' and ')}`
  }

  #add(comparison: string, value: string | number): this {
    this.#conditions.push(`${comparison} ${this.parameter(value)}`)
    return this
  }
}
