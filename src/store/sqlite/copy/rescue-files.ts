/**
 * How `outhook backup` reaches the process that holds a database which is no longer at its path: by files beside that
 * path, which the process looks for while it misses its own. It needs no address and no token, only the right to write
 * there, and so works for a program that uses the library too.
 */
import { renameSync, writeFileSync } from 'node:fs'
import type { Failure } from '../threads/tick.ts'

export interface RescuePaths {
  /** The process says that its files are not the ones at their paths. */
  readonly marker: string
  /** A command asks for a copy. */
  readonly request: string
  /** The process says that it is at it, and then what became of it. */
  readonly answer: string
}

export interface RescueRequest {
  readonly id: string
  /** Absolute; must not exist. */
  readonly targetFile: string
}

export type RescueAnswer =
  /** `beat` grows for as long as the process works on it. */
  | { readonly id: string; readonly state: 'working'; readonly beat: number }
  | { readonly id: string; readonly state: 'done' }
  | { readonly id: string; readonly state: 'failed'; readonly failure: Failure }

export function rescuePaths(path: string): RescuePaths {
  return {
    marker: `${path}.displaced`,
    request: `${path}.rescue-request`,
    answer: `${path}.rescue-answer`,
  }
}

/** Whole or not at all, and for its owner only. */
export function writeMessage(path: string, message: RescueRequest | RescueAnswer): void {
  writeFileSync(`${path}.new`, JSON.stringify(message), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
