/**
 * Every column that holds a value sealed under the master key. An exchange of the key goes through these and through
 * nothing else, so a new sealed column has its row here (`test/store/sealed-columns.test.ts` compares them with the
 * migrations).
 */
import { urlContext } from '../core/endpoint-url.ts'
import { bytesToId, idPrefixes } from '../core/ids.ts'

export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** The primary key, by which it is gone through. */
  readonly key: string
  /** Of the key, on PostgreSQL. */
  readonly keyType: 'uuid' | 'bytea'
  /** The column out of which the context is made that the value is sealed with. */
  readonly place: string
  contextOf(place: Uint8Array): string
}

const requestContext = (id: Uint8Array): string => `request ${Buffer.from(id).toString('hex')}`

const credentialId = (id: Uint8Array): string => bytesToId(idPrefixes.credential, id)

export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'credentials',
    column: 'sealed',
    key: 'id',
    keyType: 'uuid',
    place: 'id',
    contextOf: credentialId,
  },
  {
    table: 'credential_tokens',
    column: 'sealed',
    key: 'credential_id',
    keyType: 'uuid',
    place: 'credential_id',
    contextOf: (id) => `${credentialId(id)} token`,
  },
  {
    table: 'endpoints',
    column: 'sealed_url',
    key: 'id',
    keyType: 'uuid',
    place: 'id',
    contextOf: (endpoint) => urlContext(bytesToId(idPrefixes.endpoint, endpoint)),
  },
  {
    table: 'endpoint_secrets',
    column: 'sealed',
    key: 'id',
    keyType: 'uuid',
    place: 'endpoint_id',
    contextOf: (endpoint) => bytesToId(idPrefixes.endpoint, endpoint),
  },
  {
    table: 'kept_requests',
    column: 'seed',
    key: 'id',
    keyType: 'bytea',
    place: 'id',
    contextOf: requestContext,
  },
  {
    table: 'kept_requests',
    column: 'answer',
    key: 'id',
    keyType: 'bytea',
    place: 'id',
    contextOf: requestContext,
  },
]

/** What a sealed value under the key begins with. */
export function sealedHead(fingerprint: string): Uint8Array {
  return new Uint8Array(Buffer.from(`01${fingerprint}`, 'hex'))
}
