import type { StatsStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { listRecentStats, listTroubled, readBacklog, size } from '../read/backlog.ts'
import { readStats } from '../read/stats.ts'
import { foldStats } from './fold-stats.ts'

export function createStatsStore({ plain, atomic }: Runner): StatsStore {
  return {
    readStats: (request) => plain('read', (context) => readStats(context, request)),
    listRecentStats: (options) => plain('read', (context) => listRecentStats(context, options)),
    readBacklog: (tenantId) => plain('read', (context) => readBacklog(context, tenantId)),
    listTroubled: (tenantId) => plain('read', (context) => listTroubled(context, tenantId)),
    size: () => plain('read', size),
    foldStats: (options) => atomic('config', (context) => foldStats(context, options)),
  }
}
