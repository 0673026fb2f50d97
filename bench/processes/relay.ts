/**
 * The reference for deliveries over HTTP: `node:http` in, undici out. Answers once it has read the body, posts the body
 * to one receiver, and stores nothing.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPoster } from '../harness/poster.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const answer = JSON.stringify({ id: 'evt_00000000000000000000000000', delivery_ids: [] })
const headers = { 'content-type': 'application/json', 'content-length': answer.length }

const commands = {
  listen({
    receiverPort,
  }: {
    receiverPort: number
  }): Promise<{ readonly pid: number; readonly port: number }> {
    const poster = createPoster([receiverPort])
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.writeHead(202, headers).end(answer)
        // A post that fails ends this process, and with it the part: there is no figure without it.
        void poster.post(Buffer.concat(chunks))
      })
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', 1024, () =>
        resolve({ pid: process.pid, port: (server.address() as AddressInfo).port }),
      )
    })
  },
}

export type RelayCommands = typeof commands

serveCommands(commands)
