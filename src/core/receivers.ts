/** Who receives an event for many, packed: so it goes to the store, and stays there until the deliveries are made. */
import { bytesToId, idPrefixes, idToBytes } from './ids.ts'

/** A subscription that matches, and its endpoint. */
export interface Receiver {
  readonly subscriptionId: string
  readonly endpointId: string
}

/** The subscription's id, then the endpoint's. */
export const receiverBytes = 32

export function packReceivers(receivers: readonly Receiver[]): Uint8Array {
  const packed = new Uint8Array(receivers.length * receiverBytes)
  for (const [index, { subscriptionId, endpointId }] of receivers.entries()) {
    packed.set(idToBytes(subscriptionId), index * receiverBytes)
    packed.set(idToBytes(endpointId), index * receiverBytes + 16)
  }
  return packed
}

export function unpackReceivers(packed: Uint8Array): readonly Receiver[] {
  return Array.from({ length: packed.byteLength / receiverBytes }, (_, index) => {
    const at = index * receiverBytes
    return {
      subscriptionId: bytesToId(idPrefixes.subscription, packed.subarray(at, at + 16)),
      endpointId: bytesToId(idPrefixes.endpoint, packed.subarray(at + 16, at + 32)),
    }
  })
}

/** In parts of so many receivers at most. */
export function* partsOf(packed: Uint8Array, receivers: number): Generator<Uint8Array> {
  const bytes = receivers * receiverBytes
  for (let at = 0; at < packed.byteLength; at += bytes) yield packed.subarray(at, at + bytes)
}
