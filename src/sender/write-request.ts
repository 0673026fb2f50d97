/** One HTTP/1.1 request as bytes on a socket. */
import type { Socket } from 'node:net'
import { AttemptError, failure } from './attempt-error.ts'
import type { AttemptRequest } from './port.ts'

export interface RequestLine {
  /** What stands behind the method: the path, or to an HTTP proxy the whole URL. */
  readonly path: string
  /** `host` or `host:port`, as the URL has it. */
  readonly host: string
  readonly proxyAuthorization?: string
}

const token = /^[\w!#$%&'*+.^`|~-]+$/
/** RFC 9110, 5.5, each character one byte. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
/** Up to here head and body go in one piece, which the kernel takes for less than two. */
const maxJoinedBytes = 65_536
/** Names that were seen to be tokens: there are few, and they come again with every request. */
const knownNames = new Set<string>()
const maxKnownNames = 1000

/** Throws an AttemptError of the class `internal` for a header that cannot be written. */
export function checkHeaders(headers: AttemptRequest['headers']): void {
  for (const name in headers) {
    if (!knownNames.has(name)) {
      if (!token.test(name)) throw unwritable('a header name that is none')
      if (knownNames.size < maxKnownNames) knownNames.add(name)
    }
    if (!fieldValue.test(headers[name] ?? ''))
      throw unwritable(`a value of the header ${name} that no header can have`)
  }
}

function unwritable(what: string): AttemptError {
  return new AttemptError(failure('internal', `the request could not be made: it has ${what}`))
}

/** The headers were checked. */
export function writeRequest(socket: Socket, request: AttemptRequest, line: RequestLine): void {
  const { body } = request
  const head = headOf(request, line)
  if (head.length + body.length <= maxJoinedBytes) {
    const bytes = Buffer.allocUnsafe(head.length + body.length)
    bytes.write(head, 0, 'latin1')
    bytes.set(body, head.length)
    socket.write(bytes)
    return
  }
  socket.cork()
  socket.write(head, 'latin1')
  socket.write(body)
  socket.uncork()
}

function headOf({ method, headers, body }: AttemptRequest, line: RequestLine): string {
  let head = `${method} ${line.path} HTTP/1.1\r\nhost: ${line.host}\r\nconnection: keep-alive\r\n`
  for (const name in headers) {
    head += `${name}: ${headers[name] ?? ''}\r\n`
  }
  if (line.proxyAuthorization !== undefined) head += `proxy-authorization: ${line.proxyAuthorization}\r\n`
  if (body.length > 0 || methodsWithBody.has(method)) head += `content-length: ${body.length}\r\n`
  return `${head}\r\n`
}
