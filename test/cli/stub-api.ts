/** A server that answers what a test tells it to, and keeps what it was asked. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface StubRequest {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly authorization: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface StubAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes as they are, anything else as JSON. */
  readonly body?: unknown
}

export interface StubApi {
  readonly url: string
  readonly requests: readonly StubRequest[]
  close(): Promise<void>
}

export async function startStubApi(answer: (request: StubRequest) => StubAnswer): Promise<StubApi> {
  const requests: StubRequest[] = []
  const server = createServer(async (message, response) => {
    const request: StubRequest = {
      method: message.method ?? '',
      url: message.url ?? '',
      authorization: message.headers.authorization,
      headers: message.headers,
      body: (await buffer(message)).toString('utf8'),
    }
    requests.push(request)
    const { status = 200, headers = {}, body } = answer(request)
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body === undefined
    response.writeHead(status, headers).end(isRaw ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
