import { Gauge, type Registry } from '../bundled/prom-client.ts'
import { PlainCounter, type Tally } from './plain-metrics.ts'

/** Of one outbox in a SQLite file of the user's own. */
export interface ShownOutbox {
  readonly name: string
  /** Null: none. */
  readonly problem: string | null
  readonly relayed: number
  readonly refused: number
}

interface Described {
  readonly name: string
  readonly help: string
  readonly labelNames: string[]
}

interface Tallies {
  readonly relayed: Tally
  readonly refused: Tally
}

/** The returned function takes over what the relays have counted. */
export function registerOutboxes(
  registry: Registry,
  described: { readonly events: Described; readonly up: Described },
): (outboxes: readonly ShownOutbox[]) => void {
  const events = new PlainCounter(registry, described.events)
  // Of several processes the one that cannot reach its file counts.
  const up = new Gauge({ ...described.up, registers: [registry], aggregator: 'min' })
  const tallies = new Map<string, Tallies>()
  const talliesOf = (outbox: string): Tallies => {
    const known = tallies.get(outbox)
    if (known !== undefined) return known
    const made = {
      relayed: events.tally({ outbox, result: 'relayed' }),
      refused: events.tally({ outbox, result: 'refused' }),
    }
    tallies.set(outbox, made)
    return made
  }
  return (outboxes) => {
    for (const { name, problem, relayed, refused } of outboxes) {
      const tally = talliesOf(name)
      tally.relayed.value = relayed
      tally.refused.value = refused
      up.labels(name).set(problem === null ? 1 : 0)
    }
  }
}
