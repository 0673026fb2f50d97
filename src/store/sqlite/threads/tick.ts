/** What goes between the main thread and the writer thread: one tick is one transaction. */
import { type ErrorCode, OuthookError } from '../../../core/errors.ts'
import { describeStoreFault, type StoreFault } from '../../../core/store-fault.ts'
import type { TimeLine } from '../../../core/time-line.ts'
import type { ClaimResult, DeliveryOutcome, NewEvent, PublishResult } from '../../port.ts'
import { storeFaultOf } from '../connection/result-codes.ts'
import type { ReadOperations } from '../read/operations.ts'
import type { FlatList } from './flat-list.ts'
import {
  flattenClaimed,
  flattenEvents,
  flattenPublished,
  readClaimed,
  readEvents,
  readPublished,
} from './flat-messages.ts'
import { flattenOutcomes, readOutcomes } from './flat-outcomes.ts'
import type { BytePacker, ByteUnpacker } from './packed-bytes.ts'
import type { WriteOperations } from './write-operations.ts'

export type WriteName = keyof WriteOperations
export type ReadName = keyof ReadOperations

/** Reads come along on an in-memory database only, which no second connection can see. */
export type Call =
  | { readonly kind: 'write'; readonly name: WriteName; readonly args: readonly unknown[] }
  | { readonly kind: 'read'; readonly name: ReadName; readonly args: readonly unknown[] }

export interface Tick {
  /** A moment of the store's line of time, as everywhere behind it. */
  readonly now: number
  /** The line, when it has changed. */
  readonly line?: TimeLine | undefined
  readonly calls: readonly Call[]
  readonly bytes: Uint8Array<ArrayBuffer> | null
}

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly fault?: StoreFault | undefined
}

export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure }

export interface TickReply {
  readonly results: readonly Result[]
  readonly bytes: Uint8Array<ArrayBuffer> | null
  /** Transactions committed so far. */
  readonly commits: number
  /** Rows changed so far. */
  readonly changes: number
}

/** The call as it travels; `unpackCall` makes it what it was. */
export function packCall(call: Call, packer: BytePacker): Call {
  if (call.kind === 'read') return call
  const [first, ...rest] = call.args
  if (call.name === 'publish') {
    return { ...call, args: [flattenEvents(first as readonly NewEvent[], packer), ...rest] }
  }
  if (call.name === 'recordOutcomes') {
    return { ...call, args: [flattenOutcomes(first as readonly DeliveryOutcome[], packer), ...rest] }
  }
  return call
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Writes into the call: it came out of a message and is nobody else's. */
export function unpackCall(call: Call, bytes: ByteUnpacker): void {
  if (call.kind === 'read') return
  const args = call.args as unknown[]
  if (call.name === 'publish') args[0] = readEvents(args[0] as FlatList, bytes)
  else if (call.name === 'recordOutcomes') args[0] = readOutcomes(args[0] as FlatList, bytes)
}

/** Likewise, on the way back. */
export function packResult(call: Call, result: Result, packer: BytePacker): void {
  if (!result.ok) return
  const packed = result as Mutable<typeof result>
  if (call.name === 'publish') packed.value = flattenPublished(result.value as readonly PublishResult[])
  else if (call.name === 'claim') {
    const { deliveries, ...rest } = result.value as ClaimResult
    packed.value = { ...rest, deliveries: flattenClaimed(deliveries, packer) }
  }
}

export function unpackResult(call: Call, result: Result, bytes: ByteUnpacker): void {
  if (!result.ok) return
  const unpacked = result as Mutable<typeof result>
  if (call.name === 'publish') unpacked.value = readPublished(result.value as FlatList)
  else if (call.name === 'claim') {
    const { deliveries, ...rest } = result.value as { readonly deliveries: FlatList }
    unpacked.value = { ...rest, deliveries: readClaimed(deliveries, bytes) }
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof OuthookError) return { code: error.code, message: error.message, fault: error.fault }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'store_refused', message: `the store refused the call and undid it: ${message}` }
}

/** For faults of the database itself: full, broken, out of reach. */
export function storeFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const fault = storeFaultOf(error)
  const advice = fault === null ? 'check its disk' : describeStoreFault(fault)
  return {
    code: 'store_unavailable',
    message: `the database cannot be used now (${message}): ${advice}`,
    ...(fault !== null && { fault }),
  }
}

export function toError({ code, message, fault }: Failure): OuthookError {
  return new OuthookError(code, message, { fault })
}
