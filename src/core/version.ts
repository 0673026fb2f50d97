/**
 * Versions of what can be configured: a short text that is another one after each change that somebody made to the
 * object, and the same for whoever looks twice.
 */
import { OuthookError } from './errors.ts'

/** One version, or several of which any is good; `'*'` is whatever there is. */
export type IfMatch = string | readonly string[]

export interface ChangeOptions {
  /** `version` of the object as you have it: when somebody has changed it since, the error is `version_conflict`. Absent: no condition. */
  readonly ifMatch?: IfMatch | undefined
}

/** Throws `version_conflict` when somebody has changed the object since the caller saw it. */
export function checkVersion(
  { version }: { readonly version: string },
  { ifMatch }: ChangeOptions = {},
): void {
  if (ifMatch === undefined) return
  const wanted = [ifMatch].flat()
  if (wanted.includes('*') || wanted.includes(version)) return
  throw new OuthookError(
    'version_conflict',
    'somebody has changed it meanwhile, so nothing was done; read it again and decide by what it is now',
  )
}
