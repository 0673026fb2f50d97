/** CONNECT: asks an HTTP proxy for a tunnel (RFC 9110, 9.3.6). */
import { isIPv6, type Socket } from 'node:net'
import { AttemptError, failure } from './attempt-error.ts'
import type { ProxyHop } from './port.ts'
import { SocketReader } from './socket-reader.ts'

export interface TunnelTarget {
  readonly host: string
  readonly port: number
  readonly via: ProxyHop
}

const maxHeadBytes = 16_384

/** Resolves when what is written to the socket arrives at the target. */
export async function openHttpTunnel(socket: Socket, target: TunnelTarget): Promise<void> {
  const { via } = target
  const authority = `${isIPv6(target.host) ? `[${target.host}]` : target.host}:${target.port}`
  const authorization = via.basicAuthorization()
  const lines = [`CONNECT ${authority} HTTP/1.1`, `host: ${authority}`]
  if (authorization !== null) lines.push(`proxy-authorization: ${authorization}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const status = await readStatus(new SocketReader(socket))
  if (status?.startsWith('2') === true) return
  throw new AttemptError(failure('connection', refusal(status, via.hostPort)))
}

/** Of the answer itself: interim ones may come before it. Undefined when it is no HTTP. */
async function readStatus(reader: SocketReader): Promise<string | undefined> {
  let room = maxHeadBytes
  for (;;) {
    const head = await reader.readHead(room)
    room -= head.length
    const status = /^\s*HTTP\/1\.\d\s+(\d{3})/.exec(head)?.[1]
    if (status === undefined || status === '101' || !status.startsWith('1')) return status
  }
}

function refusal(status: string | undefined, hostPort: string): string {
  if (status === undefined) return `the proxy ${hostPort} did not answer with HTTP`
  if (status === '407') return `the proxy ${hostPort} refused the credentials (407)`
  return `the proxy ${hostPort} opened no tunnel (${status})`
}
