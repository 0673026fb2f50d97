/** Figures of what was published and delivered, and of the processes that do it. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import { Nodes } from './engine/nodes.ts'
import { Stats } from './engine/stats.ts'
import type { Store } from './store/port.ts'
import { version } from './version.ts'

export interface FiguresParts {
  readonly store: Store
  readonly config: Pick<Config, 'role' | 'store'>
  /** False: this process delivers nothing. */
  readonly dispatch: boolean
  readonly inFlight: () => number
  readonly clock: Clock
  readonly logger: Logger
}

export function createFigures({ store, config, dispatch, ...parts }: FiguresParts) {
  const nodes = new Nodes({
    ...parts,
    self: {
      id: randomBytes(16).toString('hex'),
      host: hostname(),
      pid: process.pid,
      role: dispatch ? config.role : 'api',
      version,
    },
    book: store.cluster?.nodes ?? null,
    time: store.time,
  })
  const { clock } = parts
  return {
    nodes,
    stats: new Stats({ store, nodes, storeKind: config.store.kind, time: store.time, clock }),
    async counts() {
      const [counts, orderedKeys] = await Promise.all([store.counts(), store.countOrderedKeys()])
      return { ...counts, orderedKeys }
    },
  }
}
