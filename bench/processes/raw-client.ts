/** The ceiling: undici's `Client`, one per connection, and `dispatch`; no signing, no store, no record. */
import { Client, type Dispatcher } from 'undici'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { makePayload } from '../harness/load-shape.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const body = Buffer.from(JSON.stringify(makePayload(1)))
const headers = { 'content-type': 'application/json' }

const commands = {
  async post({
    ports,
    count,
    concurrency,
  }: {
    ports: readonly number[]
    count: number
    concurrency: number
  }): Promise<Spent> {
    const clients = Array.from(
      { length: concurrency },
      (_, index) => new Client(`http://127.0.0.1:${ports[index % ports.length]}`, { allowH2: false }),
    )
    // Connects first.
    await Promise.all(clients.map((client) => post(client, () => false)))
    let left = count - concurrency
    const spent = startMeter()
    await Promise.all(clients.map((client) => post(client, () => left-- > 0)))
    const result = spent()
    await Promise.all(clients.map((client) => client.destroy()))
    return result
  },
}

export type RawClientCommands = typeof commands

/** One request, and more while `goOn` says so. */
function post(client: Client, goOn: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {
        if (goOn()) send()
        else resolve()
      },
      onResponseError: (_controller, error) => reject(error),
    }
    const send = () => client.dispatch({ path: '/hook', method: 'POST', headers, body }, handler)
    send()
  })
}

serveCommands(commands)
