/** One `TlsClient` for each identity, so that neither certificates nor resumed sessions of one are used for another. */
import type { TlsIdentity } from './port.ts'
import { TlsClient } from './tls-client.ts'

export class TlsClients {
  readonly #ca: string | readonly string[] | undefined
  readonly #own: TlsClient
  readonly #others = new WeakMap<TlsIdentity, TlsClient>()

  constructor(ca: string | readonly string[] | undefined) {
    this.#ca = ca
    this.#own = new TlsClient(ca)
  }

  of(identity: TlsIdentity | undefined): TlsClient {
    if (identity === undefined) return this.#own
    const known = this.#others.get(identity)
    if (known !== undefined) return known
    const client = new TlsClient(this.#ca, identity)
    this.#others.set(identity, client)
    return client
  }
}
