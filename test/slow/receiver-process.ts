import { forkChild } from './fork-child.ts'
import type { LedgerEntry } from './ledger.ts'

export interface ReceivedSoFar {
  readonly open: number
  /** Requests to the slow receiver whose sender went away before it had its answer. */
  readonly cut: number
  readonly requests: number
  readonly agents: ReadonlyMap<string, number>
  readonly entries: readonly LedgerEntry[]
}

export interface ReceiverProcess {
  readonly url: string
  /** The numbers alone, without entries. */
  count(): Promise<ReceivedSoFar>
  read(): Promise<ReceivedSoFar>
}

/** The receivers of the chaos test, in a process of their own. Ended with the running test. */
export async function startReceiverProcess(seed: number): Promise<ReceiverProcess> {
  const { greeting, ask } = await forkChild('chaos-receiver-child.ts', [`${seed}`])
  return {
    url: greeting as string,
    count: async () => (await ask('numbers')) as ReceivedSoFar,
    read: async () => (await ask('all')) as ReceivedSoFar,
  }
}
