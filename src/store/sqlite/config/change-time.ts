import type { WriteContext } from '../threads/write-context.ts'

/** When an object is changed: later than the change before, so that each leaves another version of it. */
export function changeTime({ now }: WriteContext, before: { readonly updated_at: number }): number {
  return Math.max(now, before.updated_at + 1)
}

/** Of an endpoint whose own subscription has changed, which it shows as its topics. */
export function touchEndpoint({ prepare, now }: WriteContext, endpoint: Uint8Array): void {
  prepare('update endpoints set updated_at = max(?, updated_at + 1) where id = ?').run(now, endpoint)
}
