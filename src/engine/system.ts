/** What the process is that answers, for whoever runs it. */
import type { Finding } from '../core/finding.ts'
import type { SettingSource } from '../core/setting-source.ts'

export interface SystemState {
  readonly version: string
  readonly nodeVersion: string
  readonly role: string
  /** When this process began, by the system's clock. */
  readonly startedAt: number
  readonly store: {
    readonly kind: 'memory' | 'sqlite' | 'postgres'
    /** As the setting says it, without a password. */
    readonly location: string
    /** That this program works with. */
    readonly schemaVersion: number
  }
  readonly settings: readonly SettingInForce[]
  readonly examination: StoreExamination
}

export interface SettingInForce {
  /** Such as `max-in-flight`. */
  readonly name: string
  readonly description: string
  /** As it would be written in the environment; null: nobody has said, or it is a secret. */
  readonly value: string | null
  /** What nobody having said means, in words; null: there is a value, or it is a secret. */
  readonly meaning: string | null
  /** Its value is never shown. */
  readonly isSecret: boolean
  /** Somebody has said. */
  readonly isSet: boolean
  /** Null: nobody knows who has said it. */
  readonly source: SettingSource | null
}

export interface StoreExamination {
  readonly at: number
  readonly findings: readonly Finding[]
  /** Checks that were left out, because they read whole tables. */
  readonly lengthyChecks: readonly string[]
}

export interface System {
  /** What is found in the store may be some seconds old. Never rejects for what it finds. */
  read(): Promise<SystemState>
  /** Gives up an examination that is under way. Can be called twice. */
  stop(): Promise<void>
}
