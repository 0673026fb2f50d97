/**
 * Statements, written once each: a name under which a connection prepares it, its parameters by name with their types,
 * and its text. `$name` in a text becomes `$3::type`. `$moment` is given by `run`: the store's
 * time.
 */
import type { IdFactory } from '../../../core/ids.ts'
import type { TimeLine } from '../../../core/time-line.ts'
import { encodeParameter, type Uuid } from './binary-arrays.ts'
import type { Session } from './database.ts'

/** What every statement runs with: one connection, and the store's time. */
export interface Context extends Session {
  /** Of the store's line of time, the same for all statements of a transaction. */
  readonly moment: number
  readonly line: TimeLine
  /** Of the lines of the audit log. */
  readonly ids: IdFactory
}

/** The moment of the statement. */
export const now = '$moment'

/** How each type is given. */
interface Given {
  readonly uuid: string | null
  readonly text: string | null
  readonly integer: number | null
  readonly bigint: number | null
  readonly 'double precision': number | null
  readonly boolean: boolean | null
  readonly bytea: Uint8Array | null
  readonly 'uuid[]': readonly (Uuid | null)[] | null
  readonly 'text[]': readonly (string | null)[] | null
  readonly 'integer[]': readonly (number | null)[] | null
  readonly 'bigint[]': readonly (number | null)[] | null
  readonly 'real[]': readonly (number | null)[] | null
  readonly 'double precision[]': readonly (number | null)[] | null
  /** Each as JSON text. */
  readonly 'jsonb[]': readonly (string | null)[] | null
  readonly 'boolean[]': readonly (boolean | null)[] | null
  readonly 'tid[]': readonly string[] | null
}

export type Parameters = Readonly<Record<string, keyof Given>>
export type Values<P extends Parameters> = { readonly [Name in keyof P]: Given[P[Name]] }

export interface Statement<P extends Parameters, Row> {
  /** Null: the text varies, so it is not kept prepared. */
  readonly name: string | null
  /** As the driver wants it. */
  readonly text: string
  /** The names behind `$1`, `$2`, and so on. */
  readonly order: readonly string[]
  readonly parameters: P
  /** Of types only: what a row looks like. */
  readonly row?: Row
}

/** A statement whose rows are of the type. */
export function query<Row>() {
  return <const P extends Parameters>(name: string | null, parameters: P, sql: string): Statement<P, Row> => {
    const order: string[] = []
    const text = sql.replace(/\$([a-zA-Z_]+)/g, (_, parameter: string) => {
      const type = parameter === 'moment' ? 'bigint' : parameters[parameter]
      if (type === undefined) throw new Error(`${name} has no parameter ${parameter}`)
      if (!order.includes(parameter)) order.push(parameter)
      return `$${order.indexOf(parameter) + 1}::${type}`
    })
    for (const parameter of Object.keys(parameters)) {
      if (!order.includes(parameter)) throw new Error(`${name} does not use its parameter ${parameter}`)
    }
    return { name, text, order, parameters }
  }
}

/** A statement that answers nothing. */
export const command = query<never>()

export function run<P extends Parameters, Row>(
  context: Context,
  statement: Statement<P, Row>,
  values: Values<P>,
): Promise<readonly Row[]> {
  return send(context, statement, inOrder(statement, values, context.moment))
}

/** Beside a store, where nobody tells the time: the statement uses no moment. */
export function runTimeless<P extends Parameters, Row>(
  session: Session,
  statement: Statement<P, Row>,
  values: Values<P>,
): Promise<readonly Row[]> {
  return send(session, statement, inOrder(statement, values, Number.NaN))
}

function send<P extends Parameters, Row>(
  session: Session,
  { name, text, order, parameters }: Statement<P, Row>,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const encoded = values.map((value, index) => encodeParameter(parameters[order[index] as string], value))
  return session.query<Row>(name, text, encoded)
}

/** The values as any driver takes them. */
export function inOrder<P extends Parameters, Row>(
  { order }: Statement<P, Row>,
  values: Values<P>,
  moment: number,
): unknown[] {
  return order.map((name) => (name === 'moment' ? moment : values[name as keyof P]))
}
