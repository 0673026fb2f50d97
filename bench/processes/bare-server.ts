/**
 * The references for ingest: `node:http` alone reads the body, answers 202 and stores nothing. The durable one parses
 * the body and answers after the commit of its row: no ids, no caller, no routing, so nothing that is durable and knows
 * that it was sent JSON can cost less.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openInThread } from '../harness/bare-store.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { serveCommands } from '../harness/serve-commands.ts'

const answer = JSON.stringify({ id: 'evt_00000000000000000000000000', delivery_ids: [] })
let stopMeter: (() => Spent) | null = null

const commands = {
  listen(kind: 'bare' | 'durable'): Promise<number> {
    const accept = kind === 'bare' ? reply : storeAndReply()
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => accept(response, chunks))
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

function reply(response: ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
}

/** One commit at a time, for all that came during the one before. */
function storeAndReply(): (response: ServerResponse, chunks: readonly Buffer[]) => void {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-ingest-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const store = openInThread(join(directory, 'ingest.db'))
  let waiting: { readonly response: ServerResponse; readonly body: Buffer }[] = []
  let inserting = false
  const insert = (): void => {
    if (inserting || waiting.length === 0) return
    inserting = true
    const batch = waiting
    waiting = []
    store.insert(
      batch.map(({ body }) => body),
      () => {
        inserting = false
        for (const { response } of batch) reply(response)
        insert()
      },
    )
  }
  return (response, chunks) => {
    const body = Buffer.concat(chunks)
    JSON.parse(body.toString())
    waiting.push({ response, body })
    insert()
  }
}

export type BareServerCommands = typeof commands

serveCommands(commands)
