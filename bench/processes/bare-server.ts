/** The reference for ingest: `node:http` alone. Reads the body, answers 202, stores nothing. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const answer = JSON.stringify({ id: 'evt_00000000000000000000000000', delivery_ids: [] })
let stopMeter: (() => Spent) | null = null

const commands = {
  listen(): Promise<number> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.writeHead(202, { 'content-type': 'application/json', 'content-length': answer.length })
        response.end(answer)
      })
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', 1024, () => resolve((server.address() as AddressInfo).port))
    })
  },
  startMeter(): void {
    stopMeter = startMeter()
  },
  stopMeter(): Spent {
    if (stopMeter === null) throw new Error('not started')
    return stopMeter()
  },
}

export type BareServerCommands = typeof commands

serveCommands(commands)
