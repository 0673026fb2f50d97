/** What goes between the main thread and the writer thread: one tick is one transaction. */
import { type ErrorCode, OuthookError } from '../../core/errors.ts'
import { describeStoreFault, type StoreFault } from '../../core/store-fault.ts'
import type { ClaimedDelivery, ClaimResult, DeliveryOutcome, NewEvent } from '../port.ts'
import { type BytePacker, type ByteUnpacker, noBytes } from './packed-bytes.ts'
import type { ReadOperations } from './read-operations.ts'
import { storeFaultOf } from './result-codes.ts'
import type { WriteOperations } from './write-operations.ts'

export type WriteName = keyof WriteOperations
export type ReadName = keyof ReadOperations

/** Reads come along on an in-memory database only, which no second connection can see. */
export type Call =
  | { readonly kind: 'write'; readonly name: WriteName; readonly args: readonly unknown[] }
  | { readonly kind: 'read'; readonly name: ReadName; readonly args: readonly unknown[] }

export interface Tick {
  readonly now: number
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
}

/** Takes payloads, hashes and captured bodies out of the calls; `unpackCall` puts them back, in the same order. */
export function packCall(call: Call, packer: BytePacker): Call {
  if (call.kind === 'read') return call
  if (call.name === 'publish') {
    const [batch, ...rest] = call.args as [readonly NewEvent[], ...unknown[]]
    return { ...call, args: [batch.map((event) => packEvent(event, packer)), ...rest] }
  }
  if (call.name === 'recordOutcomes') {
    const [outcomes, ...rest] = call.args as [readonly DeliveryOutcome[], ...unknown[]]
    return { ...call, args: [outcomes.map((outcome) => packOutcome(outcome, packer)), ...rest] }
  }
  return call
}

function packEvent(event: NewEvent, packer: BytePacker): NewEvent {
  packer.add(event.payload)
  if (event.idempotency === null) return { ...event, payload: noBytes }
  packer.add(event.idempotency.hash)
  return { ...event, payload: noBytes, idempotency: { ...event.idempotency, hash: noBytes } }
}

function packOutcome(outcome: DeliveryOutcome, packer: BytePacker): DeliveryOutcome {
  const { attempt } = outcome
  if (attempt === null || attempt.response === null) return outcome
  packer.add(attempt.response.body)
  return { ...outcome, attempt: { ...attempt, response: { ...attempt.response, body: noBytes } } }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Writes into the call: it came out of a message and is nobody else's. */
export function unpackCall(call: Call, bytes: ByteUnpacker): void {
  if (call.kind === 'read') return
  if (call.name === 'publish') {
    for (const event of call.args[0] as Mutable<NewEvent>[]) {
      event.payload = bytes.next()
      if (event.idempotency !== null) (event.idempotency as { hash: Uint8Array }).hash = bytes.next()
    }
  } else if (call.name === 'recordOutcomes') {
    for (const { attempt } of call.args[0] as DeliveryOutcome[]) {
      if (attempt !== null && attempt.response !== null) {
        ;(attempt.response as Mutable<typeof attempt.response>).body = bytes.next()
      }
    }
  }
}

/** The payloads of claimed deliveries, likewise, on the way back. */
export function packResult(call: Call, result: Result, packer: BytePacker): void {
  if (!result.ok || call.name !== 'claim') return
  for (const delivery of (result.value as ClaimResult).deliveries as Mutable<ClaimedDelivery>[]) {
    packer.add(delivery.payload)
    delivery.payload = noBytes
  }
}

export function unpackResult(call: Call, result: Result, bytes: ByteUnpacker): void {
  if (!result.ok || call.name !== 'claim') return
  for (const delivery of (result.value as ClaimResult).deliveries as Mutable<ClaimedDelivery>[]) {
    delivery.payload = bytes.next()
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof OuthookError) return { code: error.code, message: error.message, fault: error.fault }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'internal', message: `the store refused the call and undid it: ${message}` }
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
