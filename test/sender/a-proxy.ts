/** Real proxies for tests: HTTP (CONNECT and absolute form, plain or over TLS) and SOCKS5, with or without a log-in. */
import { readFileSync } from 'node:fs'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface TestProxy {
  readonly port: number
  /** `127.0.0.1:port`. */
  readonly place: string
  /** With the log-in, when it has one. */
  readonly url: string
  /** What it was asked for: `CONNECT host:port`, `POST http://…` or `SOCKS5 host:port (name|ipv4|ipv6)`. */
  readonly asked: readonly string[]
  /** Log-ins that it turned down. */
  refused(): number
  /** Requests in absolute form as they came. */
  readonly requests: readonly IncomingMessage[]
}

export interface ProxyOptions {
  readonly login?: { readonly username: string; readonly password: string }
  readonly tls?: boolean
  /** Where names lead, for names that only the proxy knows. */
  readonly hosts?: Readonly<Record<string, string>>
  /** Answers with an error page that repeats the URL instead of asking the receiver, as Squid does. */
  readonly echoes?: boolean
}

const tlsDirectory = new URL('../fixtures/tls/', import.meta.url)

export async function anHttpProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = []
  const requests: IncomingMessage[] = []
  let refused = 0
  const mayPass = (message: IncomingMessage) => {
    if (options.login === undefined) return true
    const { username, password } = options.login
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    if (message.headers['proxy-authorization'] === expected) return true
    refused++
    return false
  }
  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    if (!mayPass(message)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="test"' }).end()
      return
    }
    asked.push(`${message.method} ${message.url}`)
    requests.push(message)
    if (options.echoes === true) {
      response.writeHead(403).end(`<p>Could not retrieve the URL: ${message.url}</p>`)
      return
    }
    forward(message, response, options)
  }
  const keys = {
    key: readFileSync(new URL('server-key.pem', tlsDirectory)),
    cert: readFileSync(new URL('server.pem', tlsDirectory)),
  }
  const server = options.tls === true ? createHttpsServer(keys, onRequest) : createHttpServer(onRequest)
  server.on('connect', (message: IncomingMessage, client: Socket, head: Buffer) => {
    client.on('error', () => {})
    if (!mayPass(message)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    asked.push(`CONNECT ${message.url}`)
    const [host = '', port = ''] = splitAuthority(message.url ?? '')
    join(client, { host: options.hosts?.[host] ?? host, port: Number(port) }, (upstream) => {
      if (upstream === null) {
        client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n')
        return
      }
      client.write('HTTP/1.1 200 Connection Established\r\nx-proxy: test\r\n\r\n')
      if (head.length > 0) upstream.write(head)
    })
  })
  const scheme = options.tls === true ? 'https' : 'http'
  return await listen(server, { scheme, asked, requests, refused: () => refused, login: options.login })
}

function forward(message: IncomingMessage, response: ServerResponse, options: ProxyOptions): void {
  const url = new URL(message.url ?? '')
  const { 'proxy-authorization': _, ...headers } = message.headers
  const host = options.hosts?.[url.hostname] ?? url.hostname
  const upstream = request(
    { host, port: url.port, path: url.pathname + url.search, method: message.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    },
  )
  upstream.on('error', () => response.writeHead(502).end())
  message.pipe(upstream)
}

export async function aSocksProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = []
  let refused = 0
  const server = createServer((client) => {
    client.on('error', () => {})
    serveSocks(client, options, { asked, refuse: () => refused++ }).catch(() => client.destroy())
  })
  return await listen(server, {
    scheme: 'socks5',
    asked,
    requests: [],
    refused: () => refused,
    login: options.login,
  })
}

async function serveSocks(
  client: Socket,
  options: ProxyOptions,
  notes: { asked: string[]; refuse: () => void },
): Promise<void> {
  const read = readerOf(client)
  const [, methodCount = 0] = await read(2)
  const methods = await read(methodCount)
  const wanted = options.login === undefined ? 0 : 2
  if (!methods.includes(wanted)) {
    notes.refuse()
    client.end(Buffer.from([5, 255]))
    return
  }
  client.write(Buffer.from([5, wanted]))
  if (options.login !== undefined) {
    const [, userBytes = 0] = await read(2)
    const username = (await read(userBytes)).toString()
    const [passwordBytes = 0] = await read(1)
    const password = (await read(passwordBytes)).toString()
    const passes = username === options.login.username && password === options.login.password
    if (!passes) {
      notes.refuse()
      client.end(Buffer.from([1, 1]))
      return
    }
    client.write(Buffer.from([1, 0]))
  }
  const [, , , kind] = await read(4)
  const { host, name } = await readHost(read, kind ?? 0)
  const port = (await read(2)).readUInt16BE()
  notes.asked.push(`SOCKS5 ${host}:${port} (${name})`)
  join(client, { host: options.hosts?.[host] ?? host, port }, (upstream) => {
    // The bound address is written as a name, which nobody expects and the RFC allows.
    const bound = [3, 4, ...Buffer.from('here'), 0, 80]
    if (upstream === null) client.end(Buffer.from([5, 5, 0, ...bound]))
    else client.write(Buffer.from([5, 0, 0, ...bound]))
  })
}

type Read = (size: number) => Promise<Buffer>

async function readHost(read: Read, kind: number): Promise<{ host: string; name: string }> {
  if (kind === 1) return { host: (await read(4)).join('.'), name: 'ipv4' }
  if (kind === 3) {
    const [size = 0] = await read(1)
    return { host: (await read(size)).toString(), name: 'name' }
  }
  const bytes = await read(16)
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return { host: groups.join(':'), name: 'ipv6' }
}

/** Byte by byte, so that nothing that follows the handshake is swallowed. */
function readerOf(socket: Socket): Read {
  return async (size) => {
    if (size === 0) return Buffer.alloc(0)
    for (;;) {
      const bytes = socket.read(size) as Buffer | null
      if (bytes !== null) return bytes
      await new Promise<void>((resolve, reject) => {
        socket.once('readable', resolve)
        socket.once('close', () => reject(new Error('closed')))
      })
    }
  }
}

function join(
  client: Socket,
  target: { host: string; port: number },
  onSettled: (upstream: Socket | null) => void,
): void {
  const upstream = connect(target)
  upstream.once('connect', () => {
    onSettled(upstream)
    client.pipe(upstream).pipe(client)
  })
  upstream.on('error', () => {
    if (upstream.connecting || upstream.pending) onSettled(null)
    else client.destroy()
  })
  client.on('close', () => upstream.destroy())
  upstream.on('close', () => client.end())
}

function splitAuthority(authority: string): [string, string] {
  const at = authority.lastIndexOf(':')
  return [authority.slice(0, at).replace(/^\[|\]$/g, ''), authority.slice(at + 1)]
}

interface ListenOptions {
  readonly scheme: string
  readonly asked: string[]
  readonly requests: IncomingMessage[]
  readonly refused: () => number
  readonly login: ProxyOptions['login']
}

async function listen(server: Server, options: ListenOptions): Promise<TestProxy> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const { scheme, asked, requests, refused, login } = options
  const userInfo =
    login === undefined ? '' : `${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}@`
  return {
    port,
    place: `127.0.0.1:${port}`,
    url: `${scheme}://${userInfo}127.0.0.1:${port}`,
    asked,
    requests,
    refused,
  }
}

/** A port that nothing listens on. */
export async function aDeadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
