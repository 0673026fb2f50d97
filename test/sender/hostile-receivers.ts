/** Receivers that mean harm: what each does with a connection, and what has to become of the attempt. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { gzipSync } from 'node:zlib'

export interface HostileReceiver {
  readonly what: string
  readonly onSocket: (socket: Socket) => void
  /** With a certificate that is not for its name; false: there is none, where the URL says https. */
  readonly tls?: boolean
  /** What an attempt that may take a second makes of it. */
  readonly expected: {
    readonly httpStatus: number | null
    readonly errorClass: string | null
    /** Of the delivery, when one attempt is all that it has. */
    readonly state: 'succeeded' | 'dead_lettered' | 'retry_scheduled'
  }
  /** The attempt takes all of its time; the others end at once. */
  readonly slow?: boolean
}

const succeeded = { httpStatus: 200, errorClass: null, state: 'succeeded' } as const
const failed = (errorClass: string, httpStatus: number | null = null) =>
  ({ httpStatus, errorClass, state: 'dead_lettered' }) as const
const broken = failed('connection')

/** As soon as something of the request is there. */
const answering = (bytes: string | Buffer, then: (socket: Socket) => void = () => {}) => {
  return (socket: Socket) => {
    socket.once('data', () => socket.write(bytes, () => then(socket)))
  }
}
const answeringAndClosing = (bytes: string | Buffer) => answering(bytes, (socket) => socket.end())
const resetting = (bytes: string) => answering(bytes, (socket) => socket.resetAndDestroy())

/** For as long as it is read. */
const kibibytes = 'x'.repeat(65_536)
function endless(start: string, more: string = kibibytes): (socket: Socket) => void {
  const chunk = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)), 'latin1')
  return answering(start, (socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', write)
    write()
  })
}

/** A byte every 50 ms, which a deadline for each byte or each phase would never notice. */
function dripping(start: string, more: string): (socket: Socket) => void {
  return answering(start, (socket) => {
    let at = 0
    const timer = setInterval(() => {
      socket.write(more[at % more.length] ?? '')
      at += 1
    }, 50)
    socket.on('close', () => clearInterval(timer))
  })
}

const head = (...headers: string[]) => `${['HTTP/1.1 200 OK', ...headers].join('\r\n')}\r\n\r\n`
/** 16 MiB of zeros, 1024 times. */
const bomb = gzipSync(Buffer.alloc(16 * 1_048_576))
const century = Math.round(100 * 365.25 * 86_400)

export const hostileReceivers: readonly HostileReceiver[] = [
  { what: 'headers without end', onSocket: endless('HTTP/1.1 200 OK\r\n', 'a: b\r\n'), expected: broken },
  { what: 'one header without end', onSocket: endless('HTTP/1.1 200 OK\r\na: '), expected: broken },
  { what: 'a status line without end', onSocket: endless('HTTP/1.1 200 '), expected: broken },
  {
    what: 'interim answers without end',
    onSocket: endless('', 'HTTP/1.1 100 Continue\r\n\r\n'),
    expected: broken,
  },
  {
    what: 'a body without end and without a length',
    onSocket: endless(head('connection: close')),
    expected: succeeded,
  },
  {
    what: 'a body of a petabyte',
    onSocket: endless(head(`content-length: ${10 ** 15}`)),
    expected: succeeded,
  },
  {
    what: 'chunks without end',
    onSocket: endless(head('transfer-encoding: chunked'), `10000\r\n${kibibytes}\r\n`),
    expected: succeeded,
  },
  {
    what: 'chunks of a byte without end',
    onSocket: endless(head('transfer-encoding: chunked'), '1\r\nx\r\n'),
    expected: succeeded,
  },
  {
    what: 'a chunk extension without end',
    onSocket: endless(`${head('transfer-encoding: chunked')}1;`),
    expected: succeeded,
  },
  {
    what: 'trailers without end',
    onSocket: endless(`${head('transfer-encoding: chunked')}0\r\n`, 'a: b\r\n'),
    expected: succeeded,
  },
  {
    what: 'a header byte by byte',
    onSocket: dripping('HTTP/1.1 200 OK\r\n', 'a: b\r\n'),
    expected: failed('timeout'),
    slow: true,
  },
  {
    what: 'a status line byte by byte',
    onSocket: dripping('', 'HTTP/1.1 200 OKKKKKKKKKKKKKKKKKKKKKK'),
    expected: failed('timeout'),
    slow: true,
  },
  {
    what: 'a body byte by byte',
    onSocket: dripping(head('content-length: 1000'), 'x'),
    expected: succeeded,
    slow: true,
  },
  { what: 'no answer', onSocket: (socket) => void socket.resume(), expected: failed('timeout'), slow: true },
  { what: 'no reading', onSocket: (socket) => void socket.pause(), expected: failed('timeout'), slow: true },
  {
    what: 'half of the headers',
    onSocket: answering('HTTP/1.1 200 OK\r\na: b\r\n'),
    expected: failed('timeout'),
    slow: true,
  },
  { what: 'garbage for a status line', onSocket: answering('garbage\r\n\r\n'), expected: broken },
  { what: 'bytes that are no text', onSocket: answering(Buffer.alloc(4096, 0xff)), expected: broken },
  { what: 'a greeting of SSH', onSocket: answering('SSH-2.0-OpenSSH_9.9\r\n'), expected: broken },
  { what: 'a status that is no number', onSocket: answering('HTTP/1.1 abc OK\r\n\r\n'), expected: broken },
  { what: 'a status of two digits', onSocket: answering('HTTP/1.1 20 OK\r\n\r\n'), expected: broken },
  { what: 'a version that does not exist', onSocket: answering('HTTP/7.3 200 OK\r\n\r\n'), expected: broken },
  {
    what: 'HTTP/2 that nobody asked for',
    onSocket: answering(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])),
    expected: broken,
  },
  {
    what: 'a header without a colon',
    onSocket: answeringAndClosing('HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'),
    expected: broken,
  },
  {
    what: 'a length that is too long',
    onSocket: answeringAndClosing(`${head('content-length: 9999')}short`),
    expected: succeeded,
  },
  {
    what: 'a length that is too short',
    onSocket: answering(`${head('content-length: 2')}ok and more`),
    expected: succeeded,
  },
  { what: 'a negative length', onSocket: answering(`${head('content-length: -1')}ok`), expected: broken },
  {
    what: 'a length that is no number',
    onSocket: answering(`${head('content-length: many')}ok`),
    expected: broken,
  },
  {
    what: 'two lengths',
    onSocket: answering(`${head('content-length: 2', 'content-length: 3')}ok!`),
    expected: broken,
  },
  {
    what: 'a chunk size that is none',
    onSocket: answeringAndClosing(`${head('transfer-encoding: chunked')}zz\r\nok\r\n`),
    expected: succeeded,
  },
  {
    what: 'a gzip bomb',
    onSocket: answering(
      Buffer.concat([Buffer.from(head('content-encoding: gzip', `content-length: ${bomb.length}`)), bomb]),
    ),
    expected: succeeded,
  },
  {
    what: 'a reset before the answer',
    onSocket: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    expected: broken,
  },
  { what: 'a reset in its headers', onSocket: resetting('HTTP/1.1 200 OK\r\na: b\r\n'), expected: broken },
  {
    what: 'a reset in its body',
    onSocket: resetting(`${head('content-length: 1000')}half`),
    expected: succeeded,
  },
  {
    what: 'a close without an answer',
    onSocket: (socket) => void socket.once('data', () => socket.end()),
    expected: broken,
  },
  {
    what: 'TLS of another name',
    tls: true,
    onSocket: answering(head('content-length: 0')),
    expected: failed('tls'),
  },
  {
    what: 'no TLS where TLS should be',
    onSocket: answering('HTTP/1.1 400 Bad Request\r\n\r\n'),
    tls: false,
    expected: failed('tls'),
  },
  {
    what: 'a redirect to itself, a thousand times',
    onSocket: redirecting(1000),
    expected: failed('redirect_rejected', 302),
  },
  {
    what: 'a redirect inside',
    onSocket: answering('HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n'),
    expected: failed('redirect_rejected', 307),
  },
  {
    what: 'a Retry-After of a century, in seconds',
    onSocket: answering(`HTTP/1.1 503 No\r\nretry-after: ${century}\r\ncontent-length: 0\r\n\r\n`),
    expected: { httpStatus: 503, errorClass: 'http_503', state: 'retry_scheduled' },
  },
  {
    what: 'a Retry-After of a century, as a date',
    onSocket: answering(
      'HTTP/1.1 429 No\r\nretry-after: Thu, 28 Nov 2126 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n',
    ),
    expected: { httpStatus: 429, errorClass: 'http_429', state: 'retry_scheduled' },
  },
  {
    what: 'a second answer behind the first',
    onSocket: answering(`${head('content-length: 0')}HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n`),
    expected: succeeded,
  },
  {
    what: 'other protocols',
    onSocket: answering('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n'),
    expected: broken,
  },
]

function redirecting(times: number): (socket: Socket) => void {
  const step = 'HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n'
  let left = times
  return (socket) => {
    socket.on('data', () => {
      left -= 1
      socket.write(left > 0 ? step : head('content-length: 0'))
    })
  }
}

export interface OpenReceiver extends HostileReceiver {
  readonly url: string
  connections(): number
}

/** All of them, each on a port of its own. */
export async function openHostileReceivers(): Promise<{
  readonly receivers: readonly OpenReceiver[]
  close(): Promise<void>
}> {
  const closes: (() => Promise<unknown>)[] = []
  const receivers = await Promise.all(
    hostileReceivers.map(async (receiver): Promise<OpenReceiver> => {
      const { server, connections, close } = await listen(receiver)
      closes.push(close)
      const { port } = server.address() as AddressInfo
      const scheme = receiver.tls === undefined ? 'http' : 'https'
      // The certificate is that of 127.0.0.1 and of another name.
      const host = receiver.tls === true ? 'wrong.localhost' : '127.0.0.1'
      return { ...receiver, url: `${scheme}://${host}:${port}/hook`, connections }
    }),
  )
  return { receivers, close: async () => void (await Promise.all(closes.map((close) => close()))) }
}

async function listen({ tls, onSocket }: HostileReceiver) {
  const sockets = new Set<Socket>()
  let connections = 0
  const folder = new URL('../fixtures/tls/', import.meta.url)
  const read = (name: string) => readFileSync(new URL(name, folder))
  const keys = { key: read('server-key.pem'), cert: read('server.pem') }
  const server: Server = tls === true ? createTlsServer(keys, onSocket) : createServer(onSocket)
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  return { server, connections: () => connections, close }
}
