/** What the version of an object is made of, which a store compares in the transaction of a change. */
import { hash } from 'node:crypto'

/** Of a row whose `updated_at` is raised by each change, if only by one: see `change-time.ts` of each store. */
export function versionOfTime(updatedAt: number): string {
  return `t${updatedAt.toString(36)}`
}

/** Of a row that has no such column: what can be changed of it. */
export function versionOfValues(values: readonly unknown[]): string {
  return `v${hash('sha256', JSON.stringify(values), 'base64url').slice(0, 14)}`
}
