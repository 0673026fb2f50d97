/** `outhook serve` as a process of its own, from the sources, which Node reads without a build. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { patienceMs } from '../patience.ts'

const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
const startTimeoutMs = patienceMs

export const adminToken = 'slow-tests-admin-token'

export interface ServerSetup {
  /** The database of this server, a file of SQLite or a `postgres://` address: the same again for a restart. */
  readonly database: string
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs Node, in front of it. */
  readonly launcher?: readonly string[]
  /** The module to start. Default: the command line's. */
  readonly entry?: string
  /** Who ends it. Default: the end of the running test; a test that runs beside others gives its own. */
  readonly endWith?: (end: () => Promise<void>) => void
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface StartingServer {
  readonly pid: number
  /** All that it printed, on both streams. */
  readonly output: () => string
  readonly ended: Promise<Ending>
  readonly signal: (name: NodeJS.Signals) => void
  /** Resolves with its address; rejects when it ends before it listens. */
  readonly listening: Promise<string>
  /** Resolves once it has printed this. */
  printed(part: string): Promise<void>
}

export type ServerProcess = StartingServer & { readonly url: string }

/** Ended with the running test, whatever becomes of it, unless `endWith` says otherwise. */
export function spawnServer(setup: ServerSetup): StartingServer {
  const [command = process.execPath, ...launcherArgs] = [...(setup.launcher ?? []), process.execPath]
  const network = ['--port', '0', '--allow-http', '--allow-network', '127.0.0.0/8']
  const store = setup.database.startsWith('postgres://') ? setup.database : `sqlite:${setup.database}`
  const args = [setup.entry ?? entry, 'serve', '--store', store, ...network]
  const child = spawn(command, [...launcherArgs, ...args, ...(setup.flags ?? [])], {
    env: {
      PATH: process.env.PATH,
      OUTHOOK_ADMIN_TOKEN: adminToken,
      NODE_NO_WARNINGS: '1',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...setup.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code, signal }))
  const endWith = setup.endWith ?? onTestFinished
  endWith(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const { output, printed } = collectOutput(child, ended)
  const listening = printed('"listening"').then(() => {
    const line = output()
      .split('\n')
      .find((text) => text.includes('"listening"'))
    return (JSON.parse(line ?? '{}') as { readonly url: string }).url
  })
  // Heard by those who wait for it; a server that is killed while it starts has no listener.
  listening.catch(() => {})
  return { pid: child.pid ?? -1, output, ended, printed, listening, signal: (name) => void child.kill(name) }
}

export async function startServer(setup: ServerSetup): Promise<ServerProcess> {
  const server = spawnServer(setup)
  return { ...server, url: await server.listening }
}

function collectOutput(child: ChildProcess, ended: Promise<Ending>) {
  let text = ''
  const waiting = new Set<() => void>()
  const add = (chunk: Buffer) => {
    text += chunk.toString()
    for (const check of waiting) check()
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  const printed = (part: string) =>
    new Promise<void>((found, reject) => {
      const fail = (why: string) => {
        waiting.delete(check)
        clearTimeout(timer)
        reject(new Error(`${why} before it printed ${part}:\n${text}`))
      }
      const timer = setTimeout(() => fail('the server took too long'), startTimeoutMs)
      const check = () => {
        if (!text.includes(part)) return
        waiting.delete(check)
        clearTimeout(timer)
        found()
      }
      waiting.add(check)
      ended.then(({ code, signal }) => {
        if (waiting.has(check)) fail(`the server ended (${code ?? signal})`)
      })
      check()
    })
  return { output: () => text, printed }
}

/** A directory of the running test's own. */
export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-slow-'))
  // Added first, run last: by then the processes that use it are gone.
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}
