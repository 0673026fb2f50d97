/** How the test receiver reads bodies and answers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './receiver-modes.ts'

const maxBodyBytes = 5 * 1024 * 1024

export function statusOf(mode: Answer): number | null {
  switch (mode.kind) {
    case 'answer':
      return mode.status
    case 'drop':
      return null
    case 'delay':
    case 'slow_body':
      return 200
  }
}

export async function readBody(message: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
