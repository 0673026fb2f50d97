/**
 * What a row of `handoffs` says: the leases that one commit granted, by hand-off or by claim, and with claim version 0 what
 * it left waiting in the writer's memory.
 */
import type { PreparesStatements } from '../connection/statement-cache.ts'

export interface WrittenLease {
  /** The delivery's. */
  readonly key: number
  readonly eventKey: number
  readonly claimVersion: number
}

const leaseBytes = 20

export function packLeases(leases: readonly WrittenLease[]): Uint8Array {
  const packed = new Uint8Array(leases.length * leaseBytes)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { key, eventKey, claimVersion } of leases) {
    view.setFloat64(at, key)
    view.setFloat64(at + 8, eventKey)
    view.setUint32(at + 16, claimVersion)
    at += leaseBytes
  }
  return packed
}

export function unpackLeases(packed: Uint8Array): readonly WrittenLease[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const leases: WrittenLease[] = []
  for (let at = 0; at < packed.byteLength; at += leaseBytes) {
    leases.push({
      key: view.getFloat64(at),
      eventKey: view.getFloat64(at + 8),
      claimVersion: view.getUint32(at + 16),
    })
  }
  return leases
}

/**
 * Of all rows, the latest of each delivery. Some of them have ended: their row stands until the last of them has.
 */
export function readHandoffs(context: PreparesStatements): readonly WrittenLease[] {
  const latest = new Map<number, WrittenLease>()
  // One row per commit whose leases are still held: a few hundred at most.
  for (const row of context.prepare('select leases from handoffs').all()) {
    for (const lease of unpackLeases(row.leases as Uint8Array)) {
      const known = latest.get(lease.key)
      if (known === undefined || known.claimVersion < lease.claimVersion) latest.set(lease.key, lease)
    }
  }
  return [...latest.values()]
}

/** It waits for a claim: nobody has it. */
export function isWaiting({ claimVersion }: WrittenLease): boolean {
  return claimVersion === 0
}
