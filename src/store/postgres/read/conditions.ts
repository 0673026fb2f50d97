/** The `where` of a listing: conditions chosen by the filter, values always as parameters, by name. */
import { type Context, type Parameters, query, run, type Values } from '../connection/statement.ts'

export class Conditions {
  readonly #conditions: string[] = []
  readonly #parameters: Record<string, Parameters[string]> = {}
  readonly #values: Record<string, string | number> = {}

  /** The condition's text names the parameter. Left out when there is no value. */
  add(
    condition: string,
    name: string,
    type: 'uuid' | 'text' | 'bigint',
    value: string | number | null | undefined,
  ): this {
    if (value === null || value === undefined) return this
    this.#conditions.push(condition)
    return this.give(name, type, value)
  }

  /** A parameter that the conditions do not name, or a fixed text of them does. */
  give(name: string, type: 'uuid' | 'text' | 'bigint', value: string | number): this {
    this.#parameters[name] = type
    this.#values[name] = value
    return this
  }

  /** A fixed text, never one of a caller. */
  literal(condition: string): this {
    this.#conditions.push(condition)
    return this
  }

  /** Ready to follow another condition; empty without any. */
  get sql(): string {
    return this.#conditions.map((condition) => ` and ${condition}`).join('')
  }

  read<Row>(context: Context, sql: string): Promise<readonly Row[]> {
    return run(context, query<Row>()(null, this.#parameters, sql), this.#values as Values<Parameters>)
  }
}
