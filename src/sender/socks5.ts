/**
 * SOCKS5 (RFC 1928) with user name and password (RFC 1929). Names go to the proxy as they are, so that nothing about
 * the receiver is asked of the local name server.
 */
import { isIP, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AttemptError, failure } from './attempt-error.ts'
import type { TunnelTarget } from './http-tunnel.ts'
import type { ProxyHop } from './port.ts'
import { SocketReader } from './socket-reader.ts'

const version = 5
const method = { none: 0, password: 2 } as const
const addressKind = { ipv4: 1, name: 3, ipv6: 4 } as const
const connectCommand = 1

const replies: readonly string[] = [
  'success',
  'general failure',
  'connection not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused by the receiver',
  'timed out',
  'command not supported',
  'address type not supported',
]

/** Resolves when what is written to the socket arrives at the target. */
export async function openSocksTunnel(socket: Socket, target: TunnelTarget): Promise<void> {
  const reader = new SocketReader(socket)
  await authenticate(socket, reader, target.via)
  const address = encodeAddress(target)
  const port = Buffer.from([target.port >> 8, target.port & 255])
  socket.write(Buffer.concat([Buffer.from([version, connectCommand, 0]), address, port]))
  const [, reply = 1, , kind] = await reader.readExactly(4)
  if (reply !== 0) {
    const reason = replies[reply] ?? `reply ${reply}`
    throw refused(target.via, `opened no tunnel: ${reason}`)
  }
  await skipBoundAddress(reader, kind, target.via)
}

async function authenticate(socket: Socket, reader: SocketReader, via: ProxyHop): Promise<void> {
  const credentials = via.credentials()
  const methods = credentials === null ? [method.none] : [method.none, method.password]
  socket.write(Buffer.from([version, methods.length, ...methods]))
  const [answered, chosen] = await reader.readExactly(2)
  if (answered !== version) throw refused(via, 'did not answer with SOCKS5')
  if (chosen === method.none) return
  if (chosen !== method.password || credentials === null) throw refused(via, 'wants other credentials')
  const username = Buffer.from(credentials.username, 'utf8')
  const password = Buffer.from(credentials.password, 'utf8')
  const login = [Buffer.from([1, username.length]), username, Buffer.from([password.length]), password]
  socket.write(Buffer.concat(login))
  const [, status] = await reader.readExactly(2)
  if (status !== 0) throw refused(via, 'refused the credentials')
}

function encodeAddress({ host, via }: TunnelTarget): Buffer {
  const family = isIP(host)
  if (family !== 0) {
    const bytes = ipaddr.parse(host).toByteArray()
    return Buffer.from([family === 4 ? addressKind.ipv4 : addressKind.ipv6, ...bytes])
  }
  const name = Buffer.from(host, 'latin1')
  if (name.length > 255) throw refused(via, 'has no room for a name of more than 255 characters')
  return Buffer.concat([Buffer.from([addressKind.name, name.length]), name])
}

async function skipBoundAddress(
  reader: SocketReader,
  kind: number | undefined,
  via: ProxyHop,
): Promise<void> {
  switch (kind) {
    case addressKind.ipv4:
      await reader.readExactly(4 + 2)
      return
    case addressKind.ipv6:
      await reader.readExactly(16 + 2)
      return
    case addressKind.name: {
      const [size = 0] = await reader.readExactly(1)
      await reader.readExactly(size + 2)
      return
    }
    default:
      throw refused(via, 'answered with an address of an unknown type')
  }
}

function refused(via: ProxyHop, problem: string): AttemptError {
  return new AttemptError(failure('connection', `the proxy ${via.hostPort} ${problem}`))
}
