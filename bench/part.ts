import type { Commands, Remote } from './harness/remote.ts'
import type { Series } from './harness/statistics.ts'

export interface PartContext {
  readonly series: Series
  /** Runs of what takes under a minute. */
  readonly runs: number
  /** Runs of what takes longer. */
  readonly longRuns: number
  /** Sizes and times are cut down: a smoke test, not a measurement. */
  readonly quick: boolean
  /** A directory of its own, removed afterwards. */
  readonly directory: string
  /** Ends with the part. `profiled` ones write CPU profiles when asked to. */
  start<C extends Commands>(name: ProcessName, options?: { readonly profiled?: boolean }): Promise<Remote<C>>
  say(text: string): void
}

export type ProcessName =
  | 'receivers'
  | 'raw-client'
  | 'engine'
  | 'http-load'
  | 'bare-server'
  | 'server'
  | 'claims'

export interface Part {
  /** Any of them selects it with `--only`. */
  readonly names: readonly string[]
  readonly run: (context: PartContext) => Promise<void>
}
