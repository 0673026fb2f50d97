/** Puts a line into the audit log with what changes something, around a store's own calls. */

import type { AuditedKind } from '../core/audit.ts'
import { type IdPrefix, idPrefixes } from '../core/ids.ts'
import { ruleOf } from './audit-rules.ts'
import { bytesOfId } from './cursors.ts'
import { type ActorOf, type AuditedWrite, auditedWrites, type Store } from './port.ts'

/** Does the write and leaves its line, in one transaction. */
export type RunAudited = (write: AuditedWrite) => Promise<unknown>

/** Changes the given object, which is nobody's yet. */
export function recordWrites<S extends Omit<Store, 'cluster'>>(
  store: S,
  actorOf: ActorOf,
  runAudited: RunAudited,
): S {
  const recorded: Record<string, unknown> = {}
  for (const name of auditedWrites) {
    const write = store[name] as (...args: readonly unknown[]) => Promise<unknown>
    recorded[name] = (...args: readonly unknown[]) => {
      const actor = actorOf()
      // What has no id of its kind belongs to nothing, which the store's own call says.
      return actor === null || !isNamed(name, args) ? write(...args) : runAudited({ name, args, actor })
    }
  }
  const { writeOnce } = store
  const writeOnceAs: Store['writeOnce'] = (request, write) => {
    const actor = actorOf()
    return writeOnce(request, actor === null ? write : { ...write, actor })
  }
  return Object.assign(store, recorded, { writeOnce: writeOnceAs })
}

const prefixes: Partial<Readonly<Record<AuditedKind, IdPrefix>>> = {
  tenant: idPrefixes.tenant,
  endpoint: idPrefixes.endpoint,
  subscription: idPrefixes.subscription,
  credential: idPrefixes.credential,
  key: idPrefixes.producerKey,
  admin_token: idPrefixes.adminToken,
  portal_link: idPrefixes.portalLink,
  job: idPrefixes.job,
  delivery: idPrefixes.delivery,
  event: idPrefixes.event,
}

function isNamed(name: AuditedWrite['name'], args: readonly unknown[]): boolean {
  const { kind, id } = ruleOf(name).about(...(args as never))
  const prefix = prefixes[kind]
  return prefix === undefined || (id !== null && bytesOfId(prefix, id) !== null)
}
