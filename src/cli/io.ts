/** Everything that a command touches of the outside, as one argument, so that tests can hand in their own. */
import type { Config } from '../config/schema.ts'
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

/** What the commands need of `app.ts`, which alone knows the adapters. */
export interface ServerModule {
  createLogger(options: {
    readonly level: Config['logLevel']
    readonly format: 'json' | 'pretty'
    readonly colour: boolean
    readonly destination: { write(line: string): unknown }
  }): Logger
  startServer(config: Config, hooks: ServerHooks): Promise<RunningServer>
  /** Copies the live database into a new file, beside its owner, and says how large it became. */
  backupStore(config: Config, file: string): Promise<{ readonly bytes: number }>
  /** Makes a key in a store that no server owns now. */
  createKey(
    config: Config,
    input: { readonly name: string; readonly kind: 'producer' | 'admin' },
  ): Promise<{ readonly key: NewKey; readonly token: string }>
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
