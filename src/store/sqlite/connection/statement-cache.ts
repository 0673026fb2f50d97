import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Whoever runs statements of a connection. */
export interface PreparesStatements {
  prepare(sql: string): StatementSync
}

/** Compiles each statement once. */
export class StatementCache implements PreparesStatements {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
