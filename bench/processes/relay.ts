/**
 * The reference for deliveries over HTTP: `node:http` in, undici out, to one receiver. The bare one answers once it has
 * read the body and stores nothing. A durable one answers after the commit of the event, and commits outcomes once 20 ms
 * have brought it company: no ids, no check, no signature, no retry, so nothing that is durable can cost less.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BareStore, openInline, openInThread } from '../harness/bare-store.ts'
import { createPoster } from '../harness/poster.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export type RelayKind = 'bare' | 'durable' | 'durable inline'

const answer = JSON.stringify({ id: 'evt_00000000000000000000000000', delivery_ids: [] })
const headers = { 'content-type': 'application/json', 'content-length': answer.length }
const companyMs = 20

interface Arrival {
  readonly body: Buffer
  readonly response: ServerResponse
}

const commands = {
  listen({
    receiverPort,
    kind,
  }: {
    receiverPort: number
    kind: RelayKind
  }): Promise<{ readonly pid: number; readonly port: number }> {
    const poster = createPoster([receiverPort])
    // A post that fails ends this process, and with it the part: there is no figure without it.
    const post = (body: Buffer): Promise<void> => poster.post(body)
    const arrive = kind === 'bare' ? passOn(post) : passOnDurably(post, openStore(kind))
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => arrive({ body: Buffer.concat(chunks), response }))
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', 1024, () =>
        resolve({ pid: process.pid, port: (server.address() as AddressInfo).port }),
      )
    })
  },
}

export type RelayCommands = typeof commands

function openStore(kind: 'durable' | 'durable inline'): BareStore {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-relay-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'relay.db')
  return kind === 'durable' ? openInThread(file) : openInline(file)
}

function passOn(post: (body: Buffer) => Promise<void>): (arrival: Arrival) => void {
  return ({ body, response }) => {
    response.writeHead(202, headers).end(answer)
    void post(body)
  }
}

function passOnDurably(post: (body: Buffer) => Promise<void>, store: BareStore): (arrival: Arrival) => void {
  let waiting: Arrival[] = []
  let inserting = false
  let outcomes = 0
  const recordLater = (): void => {
    if (outcomes++ > 0) return
    setTimeout(() => {
      store.record(outcomes)
      outcomes = 0
    }, companyMs)
  }
  const insert = (): void => {
    if (inserting || waiting.length === 0) return
    inserting = true
    const batch = waiting
    waiting = []
    const bodies = batch.map(({ body }) => body)
    store.insert(bodies, () => {
      inserting = false
      for (const { body, response } of batch) {
        response.writeHead(202, headers).end(answer)
        void post(body).then(recordLater)
      }
      insert()
    })
  }
  return (arrival) => {
    waiting.push(arrival)
    insert()
  }
}

serveCommands(commands)
