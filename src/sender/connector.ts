/**
 * Opens sockets: name → addresses → guard → TCP → TLS. The seam for everything between Outhook and a receiver:
 * a proxy is another `Connector`.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isLocalhost, localhostAddresses, refuseAnswers } from './address-guard.ts'
import type { AddressPolicy } from './address-policy.ts'
import { AttemptError, describeFailure, type FailurePhase, failure, refusedAnswer } from './attempt-error.ts'
import type { ProxyHop, TlsIdentity } from './port.ts'
import type { ResolvedAddress, Resolver } from './resolver.ts'
import type { TlsClient } from './tls-client.ts'
import { TlsClients } from './tls-clients.ts'

export interface ConnectTarget {
  readonly secure: boolean
  /** A name without a final dot, or an address without brackets. */
  readonly hostname: string
  readonly port: number
  /** `host:port` for messages and caches. */
  readonly hostPort: string
  /** The proxy to go through. */
  readonly via?: ProxyHop
  readonly identity?: TlsIdentity
}

export type ConnectCallback = (error: AttemptError | null, socket: Socket | null) => void

export interface Connector {
  /** Calls back once with a socket that is ready for a request, unless cancelled by the function returned. */
  open(target: ConnectTarget, callback: ConnectCallback): () => void
}

export interface DirectConnectorOptions {
  readonly guard: AddressPolicy | null
  readonly resolver: Resolver
  readonly connectTimeoutMs: number
  /** Certificate authorities in PEM to trust instead of the well-known ones. */
  readonly ca?: string | readonly string[]
  /** Nobody puts TLS upon its plain sockets later on. */
  readonly isLast?: boolean
}

const tcpKeepAliveDelayMs = 60_000

/**
 * What plain sockets read into, all of them: whoever listens to `data` keeps a copy of what it wants to keep. With a
 * buffer of its own for each read, 64 KiB long until it is cut, answers without end made the process collect its
 * garbage each second, 5 to 20 ms at a time.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

export class DirectConnector implements Connector {
  readonly #options: DirectConnectorOptions
  readonly #tls: TlsClients

  constructor(options: DirectConnectorOptions) {
    this.#options = options
    this.#tls = new TlsClients(options.ca)
  }

  open(target: ConnectTarget, callback: ConnectCallback): () => void {
    let socket: Socket | null = null
    let cancelled = false
    findAddresses(target, this.#options).then(
      (addresses) => {
        if (!cancelled) socket = this.#dial(target, addresses, callback)
      },
      (error) => {
        if (!cancelled) callback(error instanceof AttemptError ? error : dnsError(target, error), null)
      },
    )
    return () => {
      cancelled = true
      socket?.destroy()
    }
  }

  #dial(target: ConnectTarget, addresses: readonly ResolvedAddress[], callback: ConnectCallback): Socket {
    const options = {
      host: target.hostname,
      port: target.port,
      ...pinned(addresses),
      ...this.#attemptTimeout(addresses.length),
    }
    const tls: TlsClient = this.#tls.of(target.identity)
    const onread = {
      buffer: readBuffer,
      callback(length: number) {
        socket.emit('data', readBuffer.subarray(0, length))
        return true
      },
    }
    const plain = this.#options.isLast === true ? { ...options, onread } : options
    let phase: FailurePhase = 'connecting'
    let pending = true
    const socket = target.secure ? connectTls({ ...options, ...tls.optionsFor(target) }) : connectTcp(plain)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, tcpKeepAliveDelayMs)
    if (target.secure) {
      socket.once('connect', () => {
        phase = 'handshaking'
      })
      socket.on('session', (session: Buffer) => tls.keepSession(target, session))
    }
    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      pending = false
      callback(null, socket)
    })
    // Stays for the socket's life: an 'error' without a listener would end the process.
    socket.on('error', (error) => {
      if (!pending) return
      pending = false
      tls.forgetSession(target)
      callback(new AttemptError(describeFailure(error, { phase, hostPort: target.hostPort }), error), null)
    })
    return socket
  }

  /**
   * Several addresses are tried in order. Node's 250 ms per address would give up on every receiver that is
   * further than that away; the last address has all the time that is left.
   */
  #attemptTimeout(addresses: number) {
    const partMs = Math.floor(this.#options.connectTimeoutMs / addresses)
    return {
      autoSelectFamily: addresses > 1,
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.min(1000, partMs)),
    }
  }
}

/** Errors: AttemptError of the class `policy` when the guard refuses any of them, `dns` when there are none. */
export async function findAddresses(
  target: ConnectTarget,
  options: Pick<DirectConnectorOptions, 'guard' | 'resolver'>,
): Promise<readonly ResolvedAddress[]> {
  const { guard, resolver } = options
  const family = isIP(target.hostname)
  const addresses =
    family !== 0
      ? [{ address: target.hostname, family }]
      : guard !== null && isLocalhost(target.hostname)
        ? localhostAddresses(guard, target.hostname)
        : await resolver.resolve(target.hostname)
  if (addresses.length === 0) throw dnsError(target, { code: 'ENODATA' })
  const refused = guard === null ? null : refuseAnswers(addresses, guard, target.hostname)
  if (refused !== null) {
    throw new AttemptError(
      family === 0
        ? refusedAnswer(`${target.hostname} resolves to a refused address: ${refused}`)
        : failure('policy', refused),
    )
  }
  return addresses
}

/** The socket gets the checked addresses, not the name: a second lookup could answer differently. */
function pinned(addresses: readonly ResolvedAddress[]): { lookup: LookupFunction } {
  return {
    lookup(_hostname, options, callback) {
      const first = addresses[0]
      if (options.all === true) callback(null, [...addresses])
      else if (first !== undefined) callback(null, first.address, first.family)
    },
  }
}

function dnsError(target: ConnectTarget, error: unknown): AttemptError {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? ` (${String(error.code)})` : ''
  return new AttemptError(failure('dns', `the name ${target.hostname} does not resolve${code}`), error)
}
