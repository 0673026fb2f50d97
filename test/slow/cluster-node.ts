/** One of the nodes on a PostgreSQL: a place that is filled by one `outhook serve` process after the other. */
import { type Ending, type ServerSetup, type StartingServer, spawnServer } from './server-process.ts'

export const masterKey = 'ab'.repeat(32)

export interface NodeSetup extends Omit<ServerSetup, 'database'> {
  readonly store: string
}

export interface ClusterNode {
  readonly name: string
  /** Of its present life; of the last one while it is down. */
  readonly url: string
  /** It listens, as far as anybody knows. */
  readonly isUp: boolean
  /** Of all its lives. */
  readonly output: string
  /** Resolves once it listens; from its second life on with another build, where one is given. */
  start(entry?: string): Promise<void>
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves when it has drained and ended. */
  drain(): Promise<Ending>
  freeze(): void
  thaw(): void
  /** The value of a metric without labels. */
  metric(name: string): Promise<number>
}

/** Ended with the running test, whatever becomes of it. */
export function aNode(name: string, { store, env, ...setup }: NodeSetup): ClusterNode {
  let life: StartingServer | null = null
  let entry = setup.entry
  let url = ''
  let isUp = false
  let earlier = ''
  const present = (): StartingServer => {
    if (life === null) throw new Error(`${name} has not been started`)
    return life
  }
  return {
    name,
    get url() {
      return url
    },
    get isUp() {
      return isUp
    },
    get output() {
      return earlier + (life?.output() ?? '')
    },
    async start(otherEntry) {
      entry = otherEntry ?? entry
      earlier += life?.output() ?? ''
      const started = spawnServer({
        ...setup,
        ...(entry !== undefined && { entry }),
        database: store,
        env: { OUTHOOK_MASTER_KEY: masterKey, ...env },
      })
      life = started
      url = await started.listening
      isUp = true
    },
    async kill() {
      isUp = false
      present().signal('SIGKILL')
      await present().ended
    },
    drain() {
      isUp = false
      present().signal('SIGTERM')
      return present().ended
    },
    freeze: () => present().signal('SIGSTOP'),
    thaw: () => present().signal('SIGCONT'),
    metric: (metric) => readMetric(url, metric),
  }
}

async function readMetric(url: string, name: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) })
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(await response.text())?.[1]
  if (value === undefined) throw new Error(`/metrics of ${url} has no ${name}`)
  return Number(value)
}
