/** Everything that a command touches of the outside, as one argument, so that tests can hand in their own. */
import type { Config } from '../config/schema.ts'
import type { Logger } from '../core/logger.ts'
import type { CopyProgress, MigrateStoreReport, MigrateStoreRequest } from '../migrate-store.ts'
import type { RemovedNow } from '../remove-expired.ts'
import type { NewKeyRequest } from '../server.ts'
import type { CheckProgress, Finding, SchemaChange } from '../store-upkeep.ts'

export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Without a newline at the end; one is added. */
  print(line: string): void
  /** Exactly these bytes to standard output. */
  printBytes(bytes: Uint8Array): void
  printError(line: string): void
  /** Colours, and forms for people. */
  readonly isTerminal: boolean
  /** Columns of the terminal, 80 at least; undefined where there is none. */
  readonly width?: number | undefined
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
  /** What makes an outbox in a SQLite file of the user's own. */
  outboxSql(): string
  /** `/metrics` for several processes, from what each has counted. */
  renderSnapshots(snapshots: readonly MetricsSnapshot[]): Promise<string>
  /** Adds up what goes on counting when its process is gone. */
  keepCounters(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot>
  /** Brings the schema up to date, or only says what that would do. */
  migrateSchema(
    config: Config,
    options: { readonly dryRun: boolean; readonly logger: Logger },
  ): Promise<SchemaChange>
  /** Only reads, and does not wait for a store that is away: that is what it finds. */
  examineStore(
    config: Config,
    options: { readonly quick: boolean; readonly onProgress?: (progress: CheckProgress) => void },
  ): Promise<readonly Finding[]>
  /** Copies the live database into a new file, beside its owner, and says how large it became. */
  backupStore(config: Config, file: string): Promise<{ readonly bytes: number }>
  /** Copies a store that no server owns now into an empty one of another kind, or goes on with such a copy. */
  migrateStore(
    request: MigrateStoreRequest,
    onProgress: (progress: CopyProgress) => void,
  ): Promise<MigrateStoreReport>
  /** One round of retention in a store that it opens. */
  removeExpiredNow(config: Config, logger: Logger): Promise<RemovedNow>
  /** Makes a key or an admin token in a store that no server owns now, and answers what the server would. */
  createKey(config: Config, request: NewKeyRequest, logger: Logger): Promise<object>
}

export interface ServerHooks {
  readonly log: Logger
  /** Ends the wait for a store that does not answer yet. */
  readonly signal?: AbortSignal
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
  readonly endpointId: string | null
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
  /** Settles only when nothing can be stored any more until the process is started again. */
  readonly lost?: Promise<Error>
  /** Drains within the deadline. May be called twice. */
  close(): Promise<void>
}
