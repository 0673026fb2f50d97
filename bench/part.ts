import type { Commands, Remote } from './harness/remote.ts'
import type { Series } from './harness/statistics.ts'
import type { StoreKind, Stores } from './harness/stores.ts'

export interface PartContext {
  readonly series: Series
  /** Runs of what takes under a minute. */
  readonly runs: number
  /** Runs of what takes longer. */
  readonly longRuns: number
  /** Sizes and times are cut down: a smoke test, not a measurement. */
  readonly quick: boolean
  /** Of this part alone, removed afterwards. */
  readonly stores: Stores
  /** Ends with the part. `profiled` ones write CPU profiles when asked to. */
  start<C extends Commands>(name: ProcessName, options?: StartedProcess): Promise<Remote<C>>
  say(text: string): void
}

export interface StartedProcess {
  readonly profiled?: boolean
  /** Another build of the product that it runs. */
  readonly dist?: string
  /** Where it writes CPU profiles, asked or not. */
  readonly profileDir?: string
}

export type ProcessName =
  | 'receivers'
  | 'raw-client'
  | 'engine'
  | 'http-load'
  | 'bare-server'
  | 'server'
  | 'outhook-serve'
  | 'relay'
  | 'claims'
  | 'dashboard'
  | 'sends'
  | 'guard'
  | 'filters'
  | 'event-types'
  | 'peer'

export interface Part {
  /** Any of them selects it with `--only`. */
  readonly names: readonly string[]
  /** On which stores it runs; default: both. */
  readonly on?: StoreKind
  readonly run: (context: PartContext) => Promise<void>
}
