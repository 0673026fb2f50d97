/** Posts on a pool of undici `Client`s with `dispatch`: what undici can do at its fastest. */
import { Client, type Dispatcher } from 'undici'
import { rawConcurrency } from './load-shape.ts'

export interface Poster {
  /** Resolves with the end of the answer; waits for a free connection. */
  readonly post: (body: Buffer) => Promise<void>
  close(): Promise<void>
}

const headers = { 'content-type': 'application/json' }

export function createPoster(ports: readonly number[]): Poster {
  const clients = Array.from(
    { length: rawConcurrency },
    (_, index) => new Client(`http://127.0.0.1:${ports[index % ports.length]}`, { allowH2: false }),
  )
  const free = [...clients]
  const waiting: ((client: Client) => void)[] = []
  const giveBack = (client: Client) => {
    const next = waiting.shift()
    if (next === undefined) free.push(client)
    else next(client)
  }
  return {
    async post(body) {
      const client = free.pop() ?? (await new Promise<Client>((resolve) => waiting.push(resolve)))
      try {
        await dispatch(client, body)
      } finally {
        giveBack(client)
      }
    },
    async close() {
      await Promise.all(clients.map((client) => client.destroy()))
    },
  }
}

function dispatch(client: Client, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd: () => resolve(),
      onResponseError: (_controller, error) => reject(error),
    }
    client.dispatch({ path: '/hook', method: 'POST', headers, body }, handler)
  })
}
