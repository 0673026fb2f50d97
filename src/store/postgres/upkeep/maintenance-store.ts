import type { MaintenanceStore } from '../../port.ts'
import { RetentionTurns } from '../../retention.ts'
import { applyConfigChanges } from '../config/apply-changes.ts'
import type { Runner } from '../connection/runner.ts'
import {
  deleteExpiredIdempotencyKeys,
  foldCounts,
  type ReconcileCursor,
  reconcileReady,
  reconcileStart,
} from './maintenance.ts'
import type { Recovery } from './recovery.ts'
import { type RetentionMemory, removeExpired, shrinkFractions } from './retention.ts'

export function createMaintenanceStore({ plain, atomic }: Runner, recovery: Recovery): MaintenanceStore {
  const reconciled: ReconcileCursor = { after: reconcileStart, lines: { after: 0 } }
  const retained = { turns: new RetentionTurns(), fractions: new Map() } satisfies RetentionMemory
  return {
    async reconcileReady(options) {
      const recovered = await recovery.now()
      const { armed } = await atomic('config', (context) => reconcileReady(context, options, reconciled))
      return { armed: recovered + armed }
    },
    applyConfigChanges: (options) => atomic('config', (context) => applyConfigChanges(context, options)),
    deleteExpiredIdempotencyKeys: (options) =>
      plain('config', (context) => deleteExpiredIdempotencyKeys(context, options)),
    async removeExpired(options) {
      // What was leased keeps rows for as long as its lease is not known to be over.
      await recovery.now()
      try {
        return await atomic('config', (context) => removeExpired(context, options, retained))
      } catch (error) {
        shrinkFractions(retained.fractions)
        throw error
      }
    },
    foldCounts: (options) => atomic('config', (context) => foldCounts(context, options)),
  }
}
