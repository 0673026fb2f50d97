/**
 * Job queues doing what a webhook needs of them: a job per delivery, and a worker that posts its payload. All use the
 * same HTTP client as the raw reference. None signs, retries by status, keeps an attempt log or shares fairly here.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { makePayload, rawConcurrency } from '../harness/load-shape.ts'
import { createPoster, type Poster } from '../harness/poster.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export type PeerName = 'graphile-worker' | 'graphile-worker, local queue' | 'pg-boss' | 'BullMQ'

interface Peer {
  enqueueMany(payloads: readonly object[]): Promise<unknown>
  enqueue(payload: object): Promise<unknown>
  /** Works until `stop`. */
  startWorker(): Promise<void>
  stop(): Promise<void>
}

interface PeerOptions {
  /** Of PostgreSQL, or of Redis. */
  readonly url: string
  /** Resolves when the receiver answered; the job is done then. */
  readonly post: (payload: unknown) => Promise<void>
}

/** Jobs of one statement when many are queued, and of one fetch. */
const batch = 500
const queue = 'deliveries'

const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url))
// biome-ignore lint/suspicious/noExplicitAny: the packages are installed only where this runs, so their types are not known
async function loadPeer(name: string): Promise<any> {
  return import(pathToFileURL(requirePeer.resolve(name)).href)
}

async function openGraphile({ url, post }: PeerOptions, localQueue: boolean): Promise<Peer> {
  const { makeWorkerUtils, run, Logger } = await loadPeer('graphile-worker')
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ connectionString: url, logger })
  await utils.migrate()
  let runner: { stop(): Promise<void> } | null = null
  const worker = localQueue
    ? { localQueue: { size: batch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
    : {}
  return {
    enqueueMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: queue, payload }))),
    enqueue: (payload) => utils.addJob(queue, payload),
    async startWorker() {
      const preset = { worker: { connectionString: url, concurrentJobs: rawConcurrency, ...worker } }
      runner = await run({ preset, logger, noHandleSignals: true, taskList: { [queue]: post } })
    },
    async stop() {
      await runner?.stop()
      await utils.release()
    },
  }
}

async function openPgBoss({ url, post }: PeerOptions): Promise<Peer> {
  const { PgBoss } = await loadPeer('pg-boss')
  const boss = new PgBoss(url)
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue(queue)
  return {
    enqueueMany: (payloads) =>
      boss.insert(
        queue,
        payloads.map((data) => ({ data })),
      ),
    enqueue: (payload) => boss.send(queue, payload),
    async startWorker() {
      // A batch is done when the last of it is.
      const handle = (jobs: readonly { readonly data: unknown }[]) =>
        Promise.all(jobs.map(({ data }) => post(data)))
      const options = {
        batchSize: batch,
        localConcurrency: 4,
        pollingIntervalSeconds: 0.5,
        burstWhenBatchFull: true,
      }
      await boss.work(queue, options, handle)
    },
    stop: () => boss.stop({ graceful: false }),
  }
}

async function openBullMq({ url, post }: PeerOptions): Promise<Peer> {
  const { Queue, Worker } = await loadPeer('bullmq')
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port) }
  const jobs = new Queue(queue, { connection, defaultJobOptions: { removeOnComplete: true } })
  let worker: { close(force?: boolean): Promise<void> } | null = null
  return {
    enqueueMany: (payloads) => jobs.addBulk(payloads.map((data) => ({ name: queue, data }))),
    enqueue: (payload) => jobs.add(queue, payload),
    async startWorker() {
      const handle = ({ data }: { readonly data: unknown }) => post(data)
      worker = new Worker(queue, handle, { connection, concurrency: rawConcurrency })
    },
    async stop() {
      await worker?.close(true)
      await jobs.close()
    },
  }
}

let peer: Peer | null = null
let poster: Poster | null = null

const commands = {
  async open({ name, url, ports }: { name: PeerName; url: string; ports: readonly number[] }): Promise<void> {
    poster = createPoster(ports)
    const { post } = poster
    const options = { url, post: (payload: unknown) => post(Buffer.from(JSON.stringify(payload))) }
    if (name === 'pg-boss') peer = await openPgBoss(options)
    else if (name === 'BullMQ') peer = await openBullMq(options)
    else peer = await openGraphile(options, name !== 'graphile-worker')
  },
  /** Many jobs a statement. */
  async fill(count: number): Promise<void> {
    for (let at = 0; at < count; at += batch) {
      const size = Math.min(batch, count - at)
      await opened().enqueueMany(Array.from({ length: size }, (_, index) => makePayload(at + index)))
    }
  },
  /** One job a call, as events come. */
  async enqueue({ count, callers }: { count: number; callers: number }): Promise<Spent> {
    let next = 0
    const spent = startMeter()
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (next < count) await opened().enqueue(makePayload(next++))
      }),
    )
    return spent()
  },
  startWorker: () => opened().startWorker(),
  async close(): Promise<void> {
    await peer?.stop()
    await poster?.close()
    peer = null
  },
}

export type PeerCommands = typeof commands

function opened(): Peer {
  if (peer === null) throw new Error('not open')
  return peer
}

serveCommands(commands)
