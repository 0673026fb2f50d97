import type { ClientBase } from 'pg'
import type { Examination, Finding } from '../../finding.ts'
import type { Session } from '../connection/database.ts'
import type { SingleConnectionOptions } from '../connection/single-connection.ts'

export interface PostgresExamination extends Examination, SingleConnectionOptions {
  /** From when on a transaction is old. Default: 5 minutes. */
  readonly oldMs?: number
}

/** What a check looks at, and with. */
export interface Subject extends PostgresExamination, Session {
  readonly client: ClientBase
}

export type Check = (subject: Subject) => Promise<readonly Finding[]>
