/** Everything that a command touches of the outside, as one argument, so that tests can hand in their own. */
import type { Config } from '../config/schema.ts'
import type { StoreLocation } from '../config/value-types.ts'
import type { Logger } from '../core/logger.ts'

export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Without a newline at the end; one is added. */
  print(line: string): void
  /** Exactly these bytes to standard output. */
  printBytes(bytes: Uint8Array): void
  printError(line: string): void
  /** Colours, and forms for people. */
  readonly isTerminal: boolean
  readInput(): Promise<string>
  /** Resolves with the first signal that asks the process to end. */
  readonly signals: SignalSource
  loadServer(): Promise<ServerModule>
}

export interface SignalSource {
  /** Returns what stops the listening. */
  onSignal(listener: (name: string) => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** What a process has counted for `/metrics`; only the server looks inside. */
type MetricsSnapshot = readonly unknown[]

export interface MetricsGroup {
  /** How the group learns what this process has counted. */
  offer(snapshot: () => Promise<MetricsSnapshot>): void
  /** The text for all of them. */
  render(): Promise<string>
}

/** What the commands need of `app.ts`, which alone knows the adapters. */
export interface ServerModule {
  createLogger(options: {
    readonly level: Config['logLevel']
    readonly format: 'json' | 'pretty'
    readonly colour: boolean
    readonly fields?: Readonly<Record<string, unknown>>
    readonly destination: { write(line: string): unknown }
  }): Logger
  startServer(config: Config, hooks: ServerHooks): Promise<RunningServer>
  /** `/metrics` for several processes, from what each has counted. */
  renderSnapshots(snapshots: readonly MetricsSnapshot[]): Promise<string>
  /** Adds up what goes on counting when its process is gone. */
  keepCounters(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot>
  /** Brings the schema up to date, or only says what that would do. */
  migrateSchema(config: Config, options: { readonly dryRun: boolean }): Promise<SchemaChange>
  /** Only reads. */
  examineStore(config: Config): Promise<readonly Finding[]>
  /** Copies the live database into a new file, beside its owner, and says how large it became. */
  backupStore(config: Config, file: string): Promise<{ readonly bytes: number }>
  /** Copies a store that no server owns now into an empty one of another kind, or goes on with such a copy. */
  migrateStore(
    request: MigrateStoreRequest,
    onProgress: (progress: CopyProgress) => void,
  ): Promise<MigrateStoreReport>
  /** Makes a key in a store that no server owns now. */
  createKey(
    config: Config,
    input: { readonly name: string; readonly kind: 'producer' | 'admin' },
  ): Promise<{ readonly key: NewKey; readonly token: string }>
}

export interface MigrateStoreRequest {
  readonly from: StoreLocation
  readonly to: StoreLocation
  readonly masterKey: string | null
}

export interface CopyProgress {
  readonly table: string
  /** Of this table. */
  readonly rows: number
  readonly ofRows: number
  /** Of all tables, what earlier runs copied included. */
  readonly totalRows: number
  readonly ofTotalRows: number
  /** Written by this run. */
  readonly written: number
}

export interface MigrateStoreReport {
  /** False: an earlier run had finished; nothing was done or compared. */
  readonly isNew: boolean
  /** Rows written by this run. */
  readonly written: number
  readonly counts: readonly {
    readonly table: string
    readonly state: string | null
    readonly source: number
    readonly target: number
  }[]
  readonly agree: boolean
  /** Where the master key of the source stands, when it has a file of its own. */
  readonly keyFile: string | null
}

export interface SchemaChange {
  /** The newest that was applied before; 0: none. */
  readonly from: number
  readonly steps: readonly { readonly version: number; readonly name: string }[]
}

export interface Finding {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'problem'
  readonly found: string
  readonly advice: string | null
}

export interface NewKey {
  readonly id: string
  readonly name: string
  readonly createdAt: number
}

export interface ServerHooks {
  readonly log: Logger
  readonly onAttempt?: (attempt: AttemptLine) => void
  /** A master key file was made just now, at this path. */
  readonly onMasterKeyCreated?: (path: string) => void
  /** This process is one of several that answer `/metrics` as one. */
  readonly group?: MetricsGroup
}

/** What the live line of one attempt shows. */
export interface AttemptLine {
  readonly deliveryId: string
  readonly topic: string | null
  readonly url: string
  readonly attemptNo: number
  readonly httpStatus: number | null
  readonly errorClass: string | null
  readonly latencyMs: number
  readonly state: string
  readonly nextAttemptInMs: number | null
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** Set when an empty store made one just now; it is shown this once. */
  readonly adminToken: string | null
  /** Drains within the deadline. May be called twice. */
  close(): Promise<void>
}
