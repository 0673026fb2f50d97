/** A receiver whose answers a test chooses, by path, and may change meanwhile. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ChosenAnswer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface AnsweringReceiver {
  readonly url: string
  /** By path; what is not in it is answered with 200. */
  readonly answers: Map<string, ChosenAnswer>
  /** Paths of what has come. */
  readonly received: string[]
  close(): Promise<void>
}

export async function startAnsweringReceiver(): Promise<AnsweringReceiver> {
  const answers = new Map<string, ChosenAnswer>()
  const received: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    request.resume().on('end', () => {
      received.push(path)
      const { status, body = '', headers = {} } = answers.get(path) ?? { status: 200 }
      response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    received,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
