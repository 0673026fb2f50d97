/** The text of keys and tokens. Only its SHA-256 is stored; the text is shown once. */
import { createHash } from 'node:crypto'
import type { ApiKey } from '../core/model.ts'

const textBytes = 24

/** `hk_` (a producer key) or `hkadm_` (an admin token) and 48 hex digits. */
export function newKeyText(kind: ApiKey['kind'], randomBytes: (size: number) => Uint8Array): string {
  return (kind === 'admin' ? 'hkadm_' : 'hk_') + Buffer.from(randomBytes(textBytes)).toString('hex')
}

export function hashKeyText(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
