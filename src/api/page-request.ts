/** Query parameters as the engine takes them. */
import { OuthookError } from '../core/errors.ts'
import { type IdPrefix, parseId } from '../core/ids.ts'
import { parseTime } from './rfc3339.ts'

export function pageRequest(query: { readonly limit?: number; readonly cursor?: string }) {
  return {
    ...(query.limit !== undefined && { limit: query.limit }),
    ...(query.cursor !== undefined && query.cursor !== '' && { cursor: query.cursor }),
  }
}

export function timeRange(query: { readonly since?: string; readonly until?: string }) {
  return {
    ...(query.since !== undefined && { since: parseTime(query.since, 'since') }),
    ...(query.until !== undefined && { until: parseTime(query.until, 'until') }),
  }
}

/** The id when it is one of its kind. A filter by anything else would find nothing and say nothing. */
export function idFilter(text: string, member: string, prefix: IdPrefix): string {
  const id = parseId(text, prefix)
  if (id !== null) return id
  throw new OuthookError('invalid_request', `${member} must be an id that begins with "${prefix}_"`)
}
