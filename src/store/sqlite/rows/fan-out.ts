/** The deliveries of an event, as its row lists them, so that the large tables need no index by event. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'

/** 0 stands for "none". Integers of `names`. */
export interface FanOutEntry {
  /** The delivery's. */
  readonly key: number
  readonly id: Uint8Array
  readonly subscription: number
  readonly endpoint: number
  readonly target: number
}

const entryBytes = 36

export function packFanOut(entries: readonly FanOutEntry[]): Uint8Array {
  const packed = new Uint8Array(entries.length * entryBytes)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { key, id, subscription, endpoint, target } of entries) {
    view.setFloat64(at, key)
    packed.set(id, at + 8)
    view.setUint32(at + 24, subscription)
    view.setUint32(at + 28, endpoint)
    view.setUint32(at + 32, target)
    at += entryBytes
  }
  return packed
}

export function unpackFanOut(packed: Uint8Array): readonly FanOutEntry[] {
  const view = viewOf(packed)
  const entries: FanOutEntry[] = []
  for (let at = 0; at < packed.byteLength; at += entryBytes) entries.push(entryAt(view, packed, at))
  return entries
}

/** The entry of one delivery; null: it is of another event. */
export function findInFanOut(packed: Uint8Array, key: number): FanOutEntry | null {
  const view = viewOf(packed)
  for (let at = 0; at < packed.byteLength; at += entryBytes) {
    if (view.getFloat64(at) === key) return entryAt(view, packed, at)
  }
  return null
}

/** As the tables of deliveries say it, where null stands for "none". */
export function ownersIn({ subscription, endpoint }: FanOutEntry) {
  return { subscription: subscription || null, endpoint: endpoint || null }
}

export function deliveryId(entry: FanOutEntry): string {
  return bytesToId(idPrefixes.delivery, entry.id)
}

function entryAt(view: DataView, packed: Uint8Array, at: number): FanOutEntry {
  return {
    key: view.getFloat64(at),
    id: packed.subarray(at + 8, at + 24),
    subscription: view.getUint32(at + 24),
    endpoint: view.getUint32(at + 28),
    target: view.getUint32(at + 32),
  }
}

function viewOf(packed: Uint8Array): DataView {
  return new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
}
