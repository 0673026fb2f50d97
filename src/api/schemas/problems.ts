/** The problems of each operation, for the OpenAPI document: by status, with the codes that an answer of it may carry. */
import { type ErrorCode, errorTable } from '../../core/errors.ts'

type Status = (typeof errorTable)[ErrorCode]['status']

/** Whatever is asked for: a broken request, a compressed body, a defect, a server that stops. */
const always: readonly Status[] = [400, 408, 415, 417, 431, 500, 503]

export interface RouteTraits {
  readonly needsToken: boolean
  /** Also a token that is in use may be refused. */
  readonly canForbid: boolean
  readonly hasPathParameter: boolean
  readonly takesBody: boolean
  readonly problems: readonly number[]
}

export function statusesOf({
  needsToken,
  canForbid,
  hasPathParameter,
  takesBody,
  problems,
}: RouteTraits): readonly number[] {
  return [
    ...new Set<number>([
      ...always,
      // 404: of a tenant that is named and does not exist.
      ...(needsToken ? [401, 404, 429] : []),
      ...(canForbid ? [403] : []),
      ...(hasPathParameter ? [404, 414] : []),
      ...(takesBody ? [413] : []),
      ...problems,
    ]),
  ].sort((a, b) => a - b)
}

/** The codes that the library alone throws. */
const neverAnswered: readonly ErrorCode[] = [
  'invalid_config',
  'store_refused',
  'store_incompatible',
  'wrong_master_key',
  'store_locked',
  'closed',
  'timeout',
  'invalid_payload',
]

export function codesOf(status: number): readonly ErrorCode[] {
  return (Object.keys(errorTable) as ErrorCode[]).filter(
    (code) => errorTable[code].status === status && !neverAnswered.includes(code),
  )
}
