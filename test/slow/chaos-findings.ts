/** What came of the chaos: the publishers' acknowledgements, the receivers' ledger and the database against each other. */
import { expect } from 'vitest'
import type { ReadDelivery } from './api-calls.ts'
import type { ChaosReceiver } from './chaos-receivers.ts'
import type { FaultLog } from './cluster-faults.ts'
import { leaseId } from './leases-in-postgres.ts'
import type { LedgerEntry } from './ledger.ts'
import type { Publishers } from './publishers.ts'
import type { ReceivedSoFar } from './receiver-process.ts'

export interface Findings {
  readonly publishers: Publishers
  /** Deliveries by event, as the API shows them in the end. */
  readonly read: ReadonlyMap<string, readonly ReadDelivery[]>
  readonly received: ReceivedSoFar
  readonly log: FaultLog
  /** What each endpoint deserves, by its id. */
  readonly deserved: ReadonlyMap<string, ChaosReceiver>
  /** So long after a fault every lease that it found has to be settled. */
  readonly limitMs: number
}

/** One event per key, all of them known to their publisher, and each with the bytes that were published. */
export function checkAcknowledged({ publishers: { acknowledged }, received }: Findings): void {
  const byEvent = new Map(Array.from(acknowledged.values(), (event) => [event.eventId, event]))
  expect(byEvent.size, 'events, of as many keys').toBe(acknowledged.size)
  for (const { eventId, bodies } of received.entries) {
    expect([...bodies], `bytes of ${eventId}`).toEqual([byEvent.get(eventId)?.digest])
  }
}

/** Every delivery arrived and ended as its receiver deserves: nothing is lost, and nothing healthy is a dead letter. */
export function checkOutcomes({ publishers, read, received, deserved }: Findings): void {
  const entries = entriesOf(received)
  for (const { eventId, deliveryIds, topic } of publishers.acknowledged.values()) {
    const deliveries = read.get(eventId) ?? []
    expect(deliveries.map((delivery) => delivery.id).toSorted()).toEqual([...deliveryIds].toSorted())
    expect(deliveries, topic).toHaveLength(topic === 'chaos.rare' ? 5 : 3)
    for (const { id, endpoint_id, state, attempts } of deliveries) {
      const { path, statuses, ...receiver } = deserved.get(endpoint_id) as ChaosReceiver
      expect({ path, id, state }).toEqual({ path, id, state: receiver.state })
      const answered = attempts.flatMap(({ http_status }) => (http_status === null ? [] : [http_status]))
      const foreign = answered.filter((status) => !statuses.includes(status))
      expect(foreign, `answers of ${path} to ${id}`).toEqual([])
      if (state !== 'succeeded') continue
      expect(attempts.filter((attempt) => attempt.status === 'success')).toHaveLength(1)
      expect(entries.get(id)?.accepted ?? 0, `receipts of ${id}`).toBeGreaterThan(0)
    }
  }
}

/** Each delivery is heard once per recorded attempt, and at most once more per lease that a fault lost. */
export function checkDuplicates(findings: Findings): void {
  const entries = entriesOf(findings.received)
  const lost = countByDelivery(findLost(findings))
  for (const { id, attempts } of [...findings.read.values()].flat()) {
    const requests = entries.get(id)?.requests ?? 0
    // On a machine that has no time an attempt may end before its request is heard, and then nobody has answered it.
    const answered = attempts.filter(({ http_status }) => http_status !== null)
    expect(requests, `requests of ${id}`).toBeGreaterThanOrEqual(answered.length)
    expect(requests, `requests of ${id}`).toBeLessThanOrEqual(attempts.length + (lost.get(id) ?? 0))
  }
}

export function checkFaults(findings: Findings): void {
  const { log, limitMs } = findings
  for (const { kind, open, leased, settledMs } of log.faults) {
    expect(settledMs, `until what a ${kind} found leased was settled`).toBeLessThanOrEqual(limitMs)
    if (kind === 'kill' && open === 0) continue
    expect(open, `requests open at a ${kind}`).toBeGreaterThan(0)
    expect(leased.size, `leases at a ${kind}`).toBeGreaterThan(0)
  }
  expect(log.droppedOutcomes, 'late outcomes of a frozen node').toBeGreaterThan(0)
  const lost = findLost(findings)
  for (const lease of log.takenOver)
    expect(lost.has(lease), `${lease} came too late and counts for nothing`).toBe(true)
}

/** Leases that were without an outcome at a fault and never got one. */
function findLost({ log, read }: Findings): ReadonlySet<string> {
  const recorded = new Set(
    [...read.values()]
      .flat()
      .flatMap(({ id, attempts }) => attempts.map(({ claim_version }) => leaseId(id, claim_version))),
  )
  return new Set(log.faults.flatMap(({ leased }) => [...leased].filter((lease) => !recorded.has(lease))))
}

export function reportFindings(findings: Findings, print: (line: string) => void): void {
  const { publishers, read, received, log } = findings
  const numbers = (values: readonly number[]) => values.join(' ')
  for (const kind of ['kill', 'freeze', 'network cut', 'database stop'] as const) {
    const faults = log.faults.filter((fault) => fault.kind === kind)
    print(`${kind}: ${faults.length} times, requests open: ${numbers(faults.map((fault) => fault.open))}`)
    print(`${kind}: leased and unrecorded: ${numbers(faults.map((fault) => fault.leased.size))}`)
  }
  const deliveries = [...read.values()].flat()
  const attempts = sum(deliveries.map((delivery) => delivery.attempts.length))
  const lost = findLost(findings)
  const duplicates = sum(received.entries.map((entry) => Math.max(0, entry.accepted - 1)))
  print(`acknowledged again after restarts of the database: ${numbers(log.acknowledgedAfterMs)} ms`)
  print(`late outcomes of the frozen node dropped: ${log.droppedOutcomes}`)
  print(`events acknowledged ${publishers.acknowledged.size}, deliveries ${deliveries.length}`)
  print(`calls without an answer ${publishers.unanswered}, replayed ${publishers.replayed}`)
  print(`requests heard ${received.requests}, attempts recorded ${attempts}`)
  for (const [agent, requests] of received.agents) print(`requests of ${agent}: ${requests}`)
  print(`duplicates ${duplicates}, bound ${lost.size} leases lost`)
  const settled = log.faults.map(({ settledMs }) => settledMs ?? Number.POSITIVE_INFINITY)
  print(
    `leases settled at most ${Math.max(...settled)} ms after the fault, of ${findings.limitMs} ms allowed`,
  )
}

function entriesOf(received: ReceivedSoFar): ReadonlyMap<string, LedgerEntry> {
  return new Map(received.entries.map((entry) => [entry.deliveryId, entry]))
}

function deliveryOf(lease: string): string {
  return lease.slice(0, lease.indexOf('.'))
}

function countByDelivery(leases: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const lease of leases) counts.set(deliveryOf(lease), (counts.get(deliveryOf(lease)) ?? 0) + 1)
  return counts
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
