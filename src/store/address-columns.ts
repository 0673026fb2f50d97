/** Where an endpoint is, and what its kind asks for ⇄ its columns, for both databases. */
import type { Endpoint } from '../core/model.ts'

export interface AddressColumns {
  readonly kind: string
  readonly url: string
  readonly sealed_url: Uint8Array | null
  readonly settings: string | null
}

type Address = Pick<Endpoint, 'kind' | 'url' | 'sealedUrl' | 'settings'>

export function toAddressColumns({ kind, url, sealedUrl, settings }: Address): AddressColumns {
  return { kind, url, sealed_url: sealedUrl, settings: settings === null ? null : JSON.stringify(settings) }
}

export function toAddress({ kind, url, sealed_url: sealedUrl, settings }: AddressColumns): Address {
  return { kind, url, sealedUrl, settings: settings === null ? null : JSON.parse(settings) }
}
