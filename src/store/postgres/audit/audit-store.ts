import type { AuditStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { listAuditLines, removeAuditLines } from './lines.ts'

export function createAuditStore({ plain }: Runner): AuditStore {
  return {
    listAuditLines: (tenantId, filter, page) =>
      plain('read', (context) => listAuditLines(context, tenantId, filter, page)),
    removeAuditLines: (options) => plain('config', (context) => removeAuditLines(context, options)),
  }
}
