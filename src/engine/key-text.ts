/** The text of keys and tokens. Only its SHA-256 is stored; the text is shown once. */
import { createHash } from 'node:crypto'
import type { ApiKey } from '../core/model.ts'
import { portalTokenPrefix } from '../core/portal.ts'

const textBytes = 24

/** `hk_` (a producer key) or `hkadm_` (an admin token) and 48 hex digits. */
export function newKeyText(kind: ApiKey['kind'], randomBytes: (size: number) => Uint8Array): string {
  return (kind === 'admin' ? 'hkadm_' : 'hk_') + Buffer.from(randomBytes(textBytes)).toString('hex')
}

/** `hkprt_` and 64 hex digits: it stands in an address, where others may see it longer than a header. */
export function newPortalToken(randomBytes: (size: number) => Uint8Array): string {
  return portalTokenPrefix + Buffer.from(randomBytes(32)).toString('hex')
}

export function hashKeyText(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
