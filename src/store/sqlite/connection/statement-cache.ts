import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

/** A row of any statement: columns by name. */
type AnyRow = Record<string, SQLOutputValue>

/** A compiled statement, and the columns that its author says it selects. */
export interface Statement<Row = AnyRow> {
  get(...values: SQLInputValue[]): Row | undefined
  all(...values: SQLInputValue[]): Row[]
  iterate(...values: SQLInputValue[]): Iterable<Row>
  run(...values: SQLInputValue[]): ReturnType<StatementSync['run']>
}

/** Whoever runs statements of a connection. */
export interface PreparesStatements {
  /** The type says which columns the statement selects. */
  prepare<Row = AnyRow>(sql: string): Statement<Row>
}

/**
 * A parameter as a limit. SQLite plans a statement for the limit that it sees, and compiles it anew each time one is bound
 * as it is: 8 µs for a small statement, 15 to 20 for that of a claim.
 */
export const anyLimit = '(? + 0)'

/** Compiles each statement once. */
export class StatementCache implements PreparesStatements {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Statement<unknown>>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  prepare<Row = AnyRow>(sql: string): Statement<Row> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement as Statement<Row>
  }
}
