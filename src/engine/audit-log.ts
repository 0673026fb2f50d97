/** Who changed what: the lines that changes leave, in their own transactions. */
import { type AuditLine, actionPattern, actorKinds, auditedKinds } from '../core/audit.ts'
import { OuthookError } from '../core/errors.ts'
import type { AuditFilter, AuditStore, Page, PageRequest } from '../store/port.ts'
import { checkMembers } from './key-input.ts'
import { checkFilter, checkPage } from './page.ts'

const isAction = new RegExp(actionPattern)

const filterMembers = {
  actorKind: true,
  actorId: true,
  action: true,
  objectKind: true,
  objectId: true,
  since: true,
  until: true,
} satisfies Record<keyof AuditFilter, true>

export class AuditLog {
  readonly #store: Pick<AuditStore, 'listAuditLines'>

  constructor(store: Pick<AuditStore, 'listAuditLines'>) {
    this.#store = store
  }

  /**
   * Newest first, of a tenant, or (null) of all and of the server itself. `action` is one such as `endpoint.updated`, or
   * `endpoint.*` for all that begin so. Errors: invalid_request, bad_cursor.
   *
   * @example
   * for (const line of (await hooks.audit.list({ action: 'endpoint.*' })).items) console.log(line.actor, line.after)
   */
  async list(
    tenantId: string | null,
    filter: AuditFilter = {},
    page: Partial<PageRequest> = {},
  ): Promise<Page<AuditLine>> {
    return this.#store.listAuditLines(tenantId, checkAuditFilter(filter), checkPage(page))
  }
}

function checkAuditFilter(filter: AuditFilter): AuditFilter {
  checkMembers(filter, { known: filterMembers, example: "{ action: 'endpoint.*' }" })
  const { action, actorKind, objectKind } = checkFilter(filter)
  if (action !== undefined && !isAction.test(action)) {
    throw refused(`action must be like endpoint.updated or endpoint.*, not ${action.slice(0, 64)}`)
  }
  if (actorKind !== undefined && !actorKinds.includes(actorKind)) {
    throw refused(`there is no kind of actor ${actorKind}; there are ${actorKinds.join(', ')}`)
  }
  if (objectKind !== undefined && !auditedKinds.includes(objectKind)) {
    throw refused(`there is no kind of object ${objectKind}; there are ${auditedKinds.join(', ')}`)
  }
  return filter
}

function refused(message: string): OuthookError {
  return new OuthookError('invalid_request', message)
}
