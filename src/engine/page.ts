import { OuthookError } from '../core/errors.ts'
import { type IdPrefix, parseId } from '../core/ids.ts'
import { errorClassPattern, plainErrorClasses } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import type { Page, PageRequest } from '../store/port.ts'

export const defaultPageLimit = 50
const isErrorClass = new RegExp(errorClassPattern)
export const maxPageLimit = 200

/** Fills in and checks what a caller gave of a page. */
export function checkPage(page: Partial<PageRequest> = {}): PageRequest {
  const limit = page.limit ?? defaultPageLimit
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageLimit) {
    throw new OuthookError(
      'invalid_request',
      `limit must be a whole number from 1 to ${maxPageLimit}, not ${limit}`,
    )
  }
  return { limit, cursor: page.cursor ?? null }
}

/** What one look-up found, as a page. Such a list never gives a cursor, so it throws `bad_cursor` for any. */
export function onlyPage<Item>({ cursor }: PageRequest, found: Item | null, by = 'uid'): Page<Item> {
  if (cursor !== null && cursor !== '') {
    throw new OuthookError('bad_cursor', `a list by ${by} has one page; give no cursor with it`)
  }
  return { items: found === null ? [] : [found], nextCursor: '' }
}

/** A filter whose texts a store can compare with. Throws `invalid_request`, which names the member. */
export function checkFilter<Filter extends object>(filter: Filter): Filter {
  for (const [member, value] of Object.entries(filter)) checkText(value, member)
  const { since, until, errorClass } = filter as {
    readonly since?: number
    readonly until?: number
    readonly errorClass?: unknown
  }
  if (errorClass !== undefined && !(typeof errorClass === 'string' && isErrorClass.test(errorClass))) {
    throw new OuthookError(
      'invalid_request',
      `there is no error class ${JSON.stringify(errorClass)}; there are ${plainErrorClasses.join(', ')}, and http_503 and the like`,
    )
  }
  if (since !== undefined && until !== undefined && since >= until) {
    throw new OuthookError('invalid_request', 'since must be before until; nothing lies between them')
  }
  return filter
}

/** An id of the right kind; anything else cannot exist, and the answer says so. */
export function checkId(id: string, prefix: IdPrefix, kind: string): string {
  const checked = typeof id === 'string' ? parseId(id, prefix) : null
  if (checked === null) throw notFound(kind)
  return checked
}

export function notFound(kind: string, name = 'id'): OuthookError {
  return new OuthookError('not_found', `no ${kind} with that ${name}`, { title: `${kind} not found` })
}
