/** A receiver of the test's own that answers by what a request authenticates with. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { patienceMs } from '../../patience.ts'

export interface Asked {
  readonly path: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface AskingReceiver {
  readonly url: string
  readonly asked: readonly Asked[]
  /** The requests to a path, once there are so many. */
  to(path: string, count?: number): Promise<readonly Asked[]>
  close(): Promise<void>
}

/** @param answer a status, or what writes the answer itself */
export async function startAskingReceiver(
  answer: (request: Asked, response: ServerResponse, earlier: number) => number | undefined,
): Promise<AskingReceiver> {
  const asked: Asked[] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const { url: path = '', method = '', headers } = message
      const request = { path, method, headers, body: Buffer.concat(chunks).toString() }
      const earlier = asked.filter((one) => one.path === path).length
      asked.push(request)
      const status = answer(request, response, earlier)
      if (status !== undefined) response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ofPath = (path: string) => asked.filter((request) => request.path === path)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async to(path, count = 1) {
      await expect
        .poll(() => ofPath(path).length, { timeout: patienceMs, interval: 5 })
        .toBeGreaterThanOrEqual(count)
      return ofPath(path)
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
