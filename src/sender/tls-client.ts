/** What all TLS connections of a sender share: the trusted authorities, and sessions to resume. */
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { TlsIdentity } from './port.ts'

export interface TlsPeer {
  readonly hostname: string
  readonly hostPort: string
}

const maxTlsSessions = 1000

export class TlsClient {
  readonly #ca: string | readonly string[] | undefined
  readonly #identity: TlsIdentity | undefined
  /** Resuming saves the certificate exchange. Node gives out sessions only after it has verified the peer. */
  readonly #sessions = new Map<string, Buffer>()
  #secureContext: SecureContext | null = null

  constructor(ca: string | readonly string[] | undefined, identity?: TlsIdentity) {
    this.#ca = identity?.ca ?? ca
    this.#identity = identity
  }

  optionsFor(peer: TlsPeer) {
    // Made once: reading the authorities' certificates per connection costs milliseconds.
    const ca = this.#ca
    const { certificate: cert, privateKey: key } = this.#identity ?? {}
    this.#secureContext ??= createSecureContext({
      ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
    })
    const session = this.#sessions.get(peer.hostPort)
    return {
      secureContext: this.#secureContext,
      // An address is verified against the certificate too, but RFC 6066 knows no server name for it.
      servername: isIP(peer.hostname) === 0 ? peer.hostname : '',
      ALPNProtocols: ['http/1.1'],
      ...(session === undefined ? {} : { session }),
    }
  }

  keepSession(peer: TlsPeer, session: Buffer): void {
    this.#sessions.delete(peer.hostPort)
    this.#sessions.set(peer.hostPort, session)
    if (this.#sessions.size <= maxTlsSessions) return
    const oldest = this.#sessions.keys().next()
    if (!oldest.done) this.#sessions.delete(oldest.value)
  }

  forgetSession(peer: TlsPeer): void {
    this.#sessions.delete(peer.hostPort)
  }
}
