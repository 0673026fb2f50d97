/** A reverse proxy with a location of its own for the server, whose prefix it takes away. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'

export interface ReverseProxy {
  /** With the prefix. */
  readonly base: string
  /** Of each request that came through, as a proxy would log it. */
  readonly log: string[]
  close(): Promise<void>
}

interface ProxyOptions {
  readonly prefix: string
  /** Browsers speak TLS with it, under a certificate that they do not know. Default false. */
  readonly tls?: boolean
  /** Headers that it adds. */
  readonly adds?: Readonly<Record<string, string>>
}

const certificates = resolve(import.meta.dirname, '../../fixtures/tls')

export async function startProxy(
  to: string,
  { prefix, tls = false, adds = {} }: ProxyOptions,
): Promise<ReverseProxy> {
  const log: string[] = []
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { url = '', method, headers } = incoming
    log.push(`${method} ${url} ${headers.referer ?? '-'}`)
    if (!url.startsWith(`${prefix}/`)) return void outgoing.writeHead(404).end()
    const asked = request(
      to + url.slice(prefix.length),
      { method, headers: { ...headers, ...adds } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    asked.on('error', () => outgoing.destroy())
    outgoing.on('close', () => asked.destroy())
    incoming.pipe(asked)
  }
  const file = (name: string) => readFileSync(resolve(certificates, name))
  const proxy = tls
    ? createTlsServer({ cert: file('server.pem'), key: file('server-key.pem') }, pass)
    : createServer(pass)
  proxy.listen(0, '127.0.0.1')
  await new Promise((listening) => proxy.once('listening', listening))
  return {
    base: `${tls ? 'https' : 'http'}://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`,
    log,
    close: () =>
      new Promise((closed) => {
        proxy.closeAllConnections()
        proxy.close(() => closed())
      }),
  }
}
