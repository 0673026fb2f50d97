/**
 * Opens sockets through a proxy: TCP (and TLS, for `https` proxies) to the proxy, a tunnel to the receiver, TLS
 * inside it when the receiver's URL is `https`. Targets without a proxy are dialled directly.
 *
 * Plain `http` receivers behind an HTTP proxy get no tunnel: the request goes to the proxy with its whole URL, which
 * every such proxy must support, while many open tunnels to port 443 only. With an address guard there is a tunnel
 * all the same, to the very address that was checked: a proxy that resolves the name once more could get another.
 *
 * undici's `ProxyAgent` and `Socks5ProxyAgent` are dispatchers with pools of their own; they know neither our
 * limits and deadlines nor the guard, and the second is experimental.
 */
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { AddressPolicy } from './address-policy.ts'
import { AttemptError, describeFailure, failure } from './attempt-error.ts'
import {
  type ConnectCallback,
  type Connector,
  type ConnectTarget,
  DirectConnector,
  type DirectConnectorOptions,
  findAddresses,
} from './connector.ts'
import { openHttpTunnel } from './http-tunnel.ts'
import type { ProxyHop } from './port.ts'
import { openSocksTunnel } from './socks5.ts'
import { TlsClients } from './tls-clients.ts'

/** False when an HTTP proxy gets the request itself, with the whole URL. */
export function needsTunnel(via: ProxyHop, secure: boolean, guard: AddressPolicy | null): boolean {
  return secure || via.kind === 'socks5' || guard !== null
}

export class ProxyConnector implements Connector {
  readonly #options: DirectConnectorOptions
  readonly #direct: DirectConnector
  /** The operator names the proxy; the guard is about receivers. */
  readonly #toProxy: DirectConnector
  readonly #tls: TlsClients

  constructor(options: DirectConnectorOptions) {
    this.#options = options
    this.#direct = new DirectConnector({ ...options, isLast: true })
    this.#toProxy = new DirectConnector({ ...options, guard: null })
    this.#tls = new TlsClients(options.ca)
  }

  open(target: ConnectTarget, callback: ConnectCallback): () => void {
    const { via } = target
    if (via === undefined) return this.#direct.open(target, callback)
    const opening = new ProxyOpening(callback)
    this.#hostFor(target).then(
      (host) => opening.begin(() => this.#dial({ target, via, host, opening })),
      (error) => opening.fail(error instanceof AttemptError ? error : tunnelError(error, target.hostPort)),
    )
    return () => opening.cancel()
  }

  /** What the proxy is asked to connect to: the name, or with a guard an address that it allows. */
  async #hostFor(target: ConnectTarget): Promise<string> {
    if (this.#options.guard === null) return target.hostname
    const [first] = await findAddresses(target, this.#options)
    return first?.address ?? target.hostname
  }

  #dial(dial: Dial): () => void {
    const { via, opening } = dial
    const proxy = {
      secure: via.kind === 'https',
      hostname: via.hostname,
      port: via.port,
      hostPort: `proxy ${via.hostPort}`,
    }
    return this.#toProxy.open(proxy, (error, socket) => {
      if (socket === null) opening.fail(error ?? tunnelError(null, proxy.hostPort))
      else this.#tunnel(dial, socket)
    })
  }

  #tunnel(dial: Dial, socket: Socket): void {
    const { target, via, host, opening } = dial
    if (!opening.holds(socket)) return
    if (!needsTunnel(via, target.secure, this.#options.guard)) {
      opening.succeed(socket)
      return
    }
    const open = via.kind === 'socks5' ? openSocksTunnel : openHttpTunnel
    open(socket, { host, port: target.port, via }).then(
      () => this.#secure(dial, socket),
      (error) =>
        opening.fail(error instanceof AttemptError ? error : tunnelError(error, `proxy ${via.hostPort}`)),
    )
  }

  #secure({ target, opening }: Dial, tunnel: Socket): void {
    if (opening.over) return
    if (!target.secure) {
      opening.succeed(tunnel)
      return
    }
    const tls = this.#tls.of(target.identity)
    const socket = connectTls({ ...tls.optionsFor(target), socket: tunnel, host: target.hostname })
    socket.setNoDelay(true)
    socket.on('session', (session: Buffer) => tls.keepSession(target, session))
    socket.once('secureConnect', () => opening.succeed(socket))
    // Stays for the socket's life: an 'error' without a listener would end the process.
    socket.on('error', (error) => {
      if (opening.over) return
      tls.forgetSession(target)
      const described = describeFailure(error, { phase: 'handshaking', hostPort: target.hostPort })
      opening.fail(new AttemptError(described, error))
    })
  }
}

interface Dial {
  readonly target: ConnectTarget
  readonly via: ProxyHop
  /** As the proxy is told. */
  readonly host: string
  readonly opening: ProxyOpening
}

/** One call of `open`: answers at most once, and leaves no socket behind when it fails or is cancelled. */
class ProxyOpening {
  over = false
  readonly #callback: ConnectCallback
  #cancelDial: (() => void) | null = null
  #socket: Socket | null = null

  constructor(callback: ConnectCallback) {
    this.#callback = callback
  }

  begin(dial: () => () => void): void {
    if (!this.over) this.#cancelDial = dial()
  }

  /** False when it is over already; the socket is closed then. */
  holds(socket: Socket): boolean {
    this.#cancelDial = null
    if (this.over) socket.destroy()
    else this.#socket = socket
    return !this.over
  }

  succeed(socket: Socket): void {
    if (this.over) return
    this.over = true
    this.#callback(null, socket)
  }

  fail(error: AttemptError): void {
    if (this.over) return
    this.cancel()
    this.#callback(error, null)
  }

  cancel(): void {
    this.over = true
    this.#cancelDial?.()
    this.#socket?.destroy()
  }
}

function tunnelError(error: unknown, hostPort: string): AttemptError {
  const described = describeFailure(error, { phase: 'started', hostPort })
  // The proxy's answer is no request's business: nothing here is `internal`, whatever a proxy manages to provoke.
  return described.errorClass === 'internal'
    ? new AttemptError(failure('connection', `the tunnel could not be opened: ${hostPort}`), error)
    : new AttemptError(described, error)
}
