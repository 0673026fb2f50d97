/** Runs `outhook serve` as somebody would: the command, in a process of its own that is measured from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { addEndpoint, adminToken, makeProducerKey } from '../harness/admin-api.ts'
import { locateCommand } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'
import type { StoreOptions } from '../harness/stores.ts'

export interface ServeSetup extends StoreOptions {
  /** The one endpoint. */
  readonly receiverUrl: string
  readonly topic: string
}

export interface Served {
  readonly pid: number
  readonly port: number
  /** Of a producer. */
  readonly key: string
}

let child: ChildProcess | null = null

const commands = {
  async start({ store, masterKey, receiverUrl, topic }: ServeSetup): Promise<Served> {
    const settings = {
      OUTHOOK_STORE: store,
      OUTHOOK_ADMIN_TOKEN: adminToken,
      ...(masterKey !== undefined && { OUTHOOK_MASTER_KEY: masterKey }),
    }
    const flags = ['--port', '0', '--allow-http', '--allow-network', '127.0.0.0/8']
    const server = spawn(process.execPath, [locateCommand(), 'serve', ...flags], {
      env: { ...environment(), ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child = server
    const url = await listening(server)
    await addEndpoint(url, { url: receiverUrl, topics: [topic] })
    return { pid: server.pid ?? -1, port: Number(new URL(url).port), key: await makeProducerKey(url) }
  },
  async stop(): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill()
    await ended
  },
}

export type OuthookServeCommands = typeof commands

/** Without the settings of whoever runs the benchmark. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OUTHOOK_')))
}

/** Resolves with the address that it logs; what it logs afterwards is read and thrown away. */
function listening(server: ChildProcess & { readonly stdout: Readable }): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', (code, signal) => reject(new Error(`outhook serve ended with ${code ?? signal}`)))
    createInterface({ input: server.stdout }).on('line', (line) => {
      const { message, url } = JSON.parse(line) as { readonly message: string; readonly url?: string }
      if (message === 'listening' && url !== undefined) resolve(url)
    })
  })
}

// When the benchmark is interrupted.
process.once('exit', () => child?.kill())
serveCommands(commands)
