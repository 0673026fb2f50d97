/** Job queues that people build webhooks on, beside the engine, on the same servers and in the same minutes. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publishCallers } from '../harness/load-shape.ts'
import type { Part, PartContext } from '../part.ts'
import type { EngineCommands } from '../processes/engine.ts'
import type { PeerCommands, PeerName } from '../processes/peer.ts'
import type { ReceiverCommands } from '../processes/receivers.ts'

export const peers: Part = { names: ['peers'], on: 'postgres', run: measurePeers }

const endpoints = 8
/** Callers of the enqueueing of one job at once. */
const callers = 50
const peersFolder = fileURLToPath(new URL('../peers', import.meta.url))

async function measurePeers(context: PartContext): Promise<void> {
  await installPeers(context)
  const redis = await startRedis(context)
  const receivers = await context.start<ReceiverCommands>('receivers')
  const ports = await receivers.call('listen', { count: endpoints })
  try {
    for (let run = 0; run < context.longRuns; run++) {
      await measureOuthook(context, ports)
      for (const name of ['graphile-worker', 'graphile-worker, local queue', 'pg-boss'] as const) {
        const url = (await context.stores.server?.database('peer')) ?? ''
        await measurePeer(context, receivers, { name, url, ports })
      }
      if (redis !== null) await measurePeer(context, receivers, { name: 'BullMQ', url: redis.url, ports })
    }
  } finally {
    await redis?.stop()
  }
}

async function measureOuthook(context: PartContext, ports: readonly number[]): Promise<void> {
  const count = context.quick ? 1000 : 20_000
  // As many as the others have.
  const warmUp = context.quick ? 500 : 5000
  const engine = await context.start<EngineCommands>('engine')
  const store = await context.stores.store(`beside-peers-${Math.random().toString(36).slice(2, 8)}`)
  const targets = ports.map((port, index) => ({
    uid: `t${index}`,
    url: `http://127.0.0.1:${port}/hook`,
    topic: `bench.t${index}`,
  }))
  const topics = targets.map(({ topic }) => topic)
  await engine.call('open', store)
  await engine.call('addTargets', targets)
  // Compiled code on both sides, as with the others.
  await engine.call('publishAndDeliver', { count, callers: publishCallers, topics })
  await engine.call('close')
  await engine.call('open', { ...store, dispatch: false })
  const single = await engine.call('publish', { count, callers, topics })
  await engine.call('publish', { count: warmUp, callers, topics })
  await engine.call('close')
  const drain = await engine.call('drain', { ...store, warmUp, count })
  note(context, 'Outhook', { count, enqueueMs: single.wallMs, drainMs: drain.wallMs })
  await engine.stop()
}

async function measurePeer(
  context: PartContext,
  receivers: Awaited<ReturnType<typeof context.start<ReceiverCommands>>>,
  options: { readonly name: PeerName; readonly url: string; readonly ports: readonly number[] },
): Promise<void> {
  const { quick } = context
  const isSlow = options.name === 'graphile-worker'
  const count = quick ? 500 : isSlow ? 5000 : 20_000
  const peer = await context.start<PeerCommands>('peer')
  await peer.call('open', options)
  const single = await peer.call('enqueue', { count: quick ? 500 : 5000, callers })
  await peer.call('fill', count)
  const warm = quick ? 500 : 5000
  await receivers.call('reset')
  await peer.call('startWorker')
  // The first jobs warm it up.
  await receivers.call('waitFor', warm)
  const startedAt = performance.now()
  await receivers.call('waitFor', warm + count)
  note(context, options.name, {
    count,
    enqueueMs: (single.wallMs * count) / warm,
    drainMs: performance.now() - startedAt,
  })
  await peer.call('close')
  await peer.stop()
}

function note(
  { series, say }: PartContext,
  name: string,
  { count, enqueueMs, drainMs }: { count: number; enqueueMs: number; drainMs: number },
): void {
  const perSecond = (ms: number) => (count * 1000) / ms
  series.add(`beside job queues, ${name}, posts per second from a backlog`, perSecond(drainMs))
  series.add(
    `beside job queues, ${name}, durable single enqueues per second, 50 callers`,
    perSecond(enqueueMs),
  )
  say(`${name}: ${perSecond(drainMs).toFixed(0)} posts/s, ${perSecond(enqueueMs).toFixed(0)} enqueues/s`)
}

async function installPeers({ say }: PartContext): Promise<void> {
  if (existsSync(join(peersFolder, 'node_modules'))) return
  say('installing the job queues')
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: peersFolder,
    shell: process.platform === 'win32',
  })
}

/** On a free port, with an append-only file written every second, as its documentation recommends. Null: not installed. */
async function startRedis({
  say,
}: PartContext): Promise<{ readonly url: string; stop(): Promise<void> } | null> {
  const directory = await mkdtemp(join(tmpdir(), 'outhook-bench-redis-'))
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--appendonly', 'yes']
  const child = spawn('redis-server', settings, { stdio: 'ignore' })
  const missing = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(true))
    child.once('spawn', () => resolve(false))
  })
  if (missing) {
    say('Redis is not installed: BullMQ is left out')
    return null
  }
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 50))
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
