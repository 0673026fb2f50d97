/** The `where` of a listing: conditions chosen by the filter, values always as parameters, by name. */
import { type Context, type Parameters, query, run, type Values } from '../connection/statement.ts'

type Given = string | number | readonly string[]

export class Conditions {
  readonly #conditions: string[] = []
  readonly #parameters: Record<string, Parameters[string]> = {}
  readonly #values: Record<string, Given> = {}

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

  /** A parameter that the conditions do not name: a text that is read with them may, or not. */
  give(name: string, type: Parameters[string], value: Given): this {
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
    const named = Object.entries(this.#parameters).filter(([name]) => new RegExp(`\\$${name}\\b`).test(sql))
    const statement = query<Row>()(null, Object.fromEntries(named), sql)
    return run(context, statement, this.#values as Values<Parameters>)
  }
}
