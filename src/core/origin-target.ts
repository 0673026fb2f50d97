import { createHash } from 'node:crypto'
import { bytesToId, idPrefixes, idToBytes } from './ids.ts'

/**
 * What deliveries to URLs of one origin have in common, as those to one endpoint have its id: their turn, their slots,
 * and the breaker. Made from tenant and origin, so that every process has the same and no tenant that of another. A UUID
 * of version 8, which no endpoint's id can be.
 */
export function targetIdOf(tenantId: string, url: URL): string {
  const hash = createHash('sha256').update(idToBytes(tenantId)).update(url.origin).digest()
  const bytes = Uint8Array.from(hash.subarray(0, 16))
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return bytesToId(idPrefixes.endpoint, bytes)
}
