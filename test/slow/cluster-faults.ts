/** What is done to the nodes of the chaos test and to their database, and what each fault found in flight. */
import type { PostgresServer } from '../servers/postgres.ts'
import type { TcpProxy } from '../servers/tcp-proxy.ts'
import { call, pause, until } from './api-calls.ts'
import type { ClusterNode } from './cluster-node.ts'
import { createLeaseWatch } from './lease-watch.ts'
import type { DatabaseView, LeaseId } from './leases-in-postgres.ts'
import type { ReceiverProcess } from './receiver-process.ts'

export interface Fault {
  readonly kind: 'kill' | 'freeze' | 'network cut' | 'database stop'
  /** As `Date.now()`. */
  readonly at: number
  /** Requests to receivers that were open at what it hit. */
  readonly open: number
  /** Leases without a recorded outcome, of all nodes. */
  readonly leased: ReadonlySet<LeaseId>
  /** How long until each had its outcome or was taken over, the database's downtime left out; null until then. */
  settledMs: number | null
}

export interface Cluster {
  readonly server: PostgresServer
  readonly view: DatabaseView
  readonly nodes: readonly ClusterNode[]
  /** Through which the last node reaches the database. */
  readonly proxy: TcpProxy
  readonly receivers: ReceiverProcess
  readonly random: () => number
  /** So long after a fault every lease that it found has to be settled. */
  readonly limitMs: number
  /** Called with those that are not. */
  readonly onOverdue: (left: ReadonlySet<LeaseId>) => void
}

export interface FaultLog {
  readonly faults: readonly Fault[]
  /** How long after each restart of the database an event was acknowledged again. */
  readonly acknowledgedAfterMs: readonly number[]
  /** Outcomes that a node dropped after it had been frozen. */
  readonly droppedOutcomes: number
  /** Leases of that node which others had taken over before it went on: their outcomes came too late. */
  readonly takenOver: ReadonlySet<LeaseId>
}

export interface Faults extends FaultLog {
  /** Kills one node after the other and starts each again, so many that had work in flight. */
  kill(count: number, first?: ClusterNode): Promise<void>
  /** Stops a node until others have taken over all that it held, and lets it go on. */
  freeze(node: ClusterNode): Promise<void>
  /** Nothing passes between the last node and the database for so long. */
  cutNetwork(ms: number, then: 'heal' | 'reset'): Promise<void>
  /** As `pg_ctl stop -m immediate`, and a start after so long. */
  stopDatabase(ms: number): Promise<void>
  /** Resolves when every node listens. */
  untilAllUp(): Promise<void>
  /** Resolves when every lease that a fault found is settled. */
  untilSettled(): Promise<void>
}

export function createFaults(cluster: Cluster): Faults {
  const { server, view, nodes, proxy, receivers, random } = cluster
  const faults: Fault[] = []
  const acknowledgedAfterMs: number[] = []
  let droppedOutcomes = 0
  let takenOver: ReadonlySet<LeaseId> = new Set()
  /** Nodes that something else is done to. */
  const busy = new Set<ClusterNode>()
  let starting: Promise<void>[] = []

  const { watch, addDowntime } = createLeaseWatch(view, cluster)
  const settling: Promise<void>[] = []
  /** Resolves when the leases are settled. */
  const note = (fault: Omit<Fault, 'settledMs'>): Promise<void> => {
    const noted: Fault = { ...fault, settledMs: null }
    faults.push(noted)
    const settled = watch(fault.leased).then((ms) => {
      noted.settledMs = Math.round(ms)
    })
    settling.push(settled)
    return settled
  }
  /** Waits for so many requests to be open at a node, or at all of them together, and says how many they are. */
  const untilOpen = async (count: number, node?: ClusterNode): Promise<number> => {
    let open = 0
    await until(`${count} requests are open`, async () => {
      if (node?.isUp === false) return false
      open = await (node ? node.metric('outhook_in_flight') : receivers.count().then((counts) => counts.open))
      return open >= count
    })
    return open
  }

  /** A node with so much in flight that some of it is still there a moment later. */
  const pickVictim = async (wanted?: ClusterNode): Promise<ClusterNode> => {
    let victim: ClusterNode | undefined
    await until('a node has work in flight and another is up', async () => {
      const up = nodes.filter((node) => node.isUp && !busy.has(node))
      if (up.length < 2) return false
      victim = wanted ?? up[Math.floor(random() * up.length)]
      return victim?.isUp === true && (await victim.metric('outhook_in_flight').catch(() => 0)) >= 3
    })
    return victim as ClusterNode
  }

  const killOne = async (wanted?: ClusterNode): Promise<boolean> => {
    const victim = await pickVictim(wanted)
    const before = (await receivers.count()).cut
    const at = Date.now()
    await victim.kill()
    const leased = await view.leases()
    const started = victim.start()
    // `untilAllUp` tells of it; nobody else listens before.
    started.catch(() => {})
    starting.push(started)
    const open = async () => (await receivers.count()).cut - before
    const wasWorking = await until('requests end with their sender', async () => (await open()) > 0, 1000)
      .then(() => true)
      .catch(() => false)
    void note({ kind: 'kill', at, open: await open(), leased })
    return wasWorking
  }

  const acknowledges = async (node: ClusterNode): Promise<boolean> => {
    const body = { topic: 'nobody.listens', payload: {} }
    const answer = await call(node.url, '/v1/events', { body, timeoutMs: 2000 }).catch(() => null)
    return answer?.status === 202
  }

  return {
    faults,
    acknowledgedAfterMs,
    get droppedOutcomes() {
      return droppedOutcomes
    },
    get takenOver() {
      return takenOver
    },
    async kill(count, first) {
      for (let killed = 0, wanted = first; killed < count; wanted = undefined) {
        // The chaos itself; nothing is awaited with it.
        await pause(200 + random() * 800)
        if (await killOne(wanted)) killed++
      }
    },
    async freeze(node) {
      busy.add(node)
      const open = await untilOpen(6, node)
      const at = Date.now()
      node.freeze()
      const leased = await view.leases()
      await note({ kind: 'freeze', at, open, leased })
      takenOver = await view.unrecorded(leased)
      node.thaw()
      const dropped = () => node.metric('outhook_stale_outcomes_total')
      await until('its late outcomes are dropped', async () => (await dropped()) > 0)
      droppedOutcomes += await dropped()
      busy.delete(node)
    },
    async cutNetwork(ms, then) {
      const node = nodes.at(-1) as ClusterNode
      busy.add(node)
      const open = await untilOpen(3, node)
      const at = Date.now()
      proxy.hold('everything')
      void note({ kind: 'network cut', at, open, leased: await view.leases() })
      await pause(ms)
      if (then === 'reset') proxy.cut()
      proxy.hold('nothing')
      await until('it reaches the database again', () => acknowledges(node))
      busy.delete(node)
    },
    async stopDatabase(ms) {
      const open = await untilOpen(6)
      const before = await view.leases()
      const from = Date.now()
      await server.crash()
      await pause(ms)
      await server.restart()
      const to = Date.now()
      addDowntime(to - from)
      void note({
        kind: 'database stop',
        at: from,
        open,
        leased: new Set([...before, ...(await view.leases())]),
      })
      await Promise.all(nodes.map((node) => until(`${node.name} is back`, () => acknowledges(node))))
      acknowledgedAfterMs.push(Date.now() - to)
    },
    async untilAllUp() {
      const awaited = starting
      starting = []
      await Promise.all(awaited)
    },
    untilSettled: async () => void (await Promise.all(settling)),
  }
}
