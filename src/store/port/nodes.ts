/** Processes that work on one store say that they are there. The rules of `../port.ts` hold. */
import type { NodeRole } from '../../core/node-role.ts'

export interface NodeReport {
  /** Hexadecimal, another one for each start. */
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly role: NodeRole
  /** Of Outhook. */
  readonly version: string
  readonly startedAt: number
  /** Requests to receivers that are open. */
  readonly inFlight: number
}

export interface SeenNode extends NodeReport {
  /** When it last said that it is there. */
  readonly seenAt: number
}

export interface NodeBook {
  /** This process is there and does this. Forgets processes that have not said so for `forgetAfterMs`. */
  report(node: NodeReport): Promise<void>
  /** This process is there no more. */
  leave(nodeId: string): Promise<void>
  /** Those that are not forgotten, the oldest first. */
  list(): Promise<readonly SeenNode[]>
}

/** Longer than a process that lives is ever silent, so that one which was killed is seen to be silent before it goes. */
export const forgetAfterMs = 60_000
