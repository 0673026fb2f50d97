/** The store as the use cases see it: times of the calendar, signed cursors, and writes that are kept under a key. */
import { randomBytes } from 'node:crypto'
import type { Keyring } from './core/keyring.ts'
import { IdempotentRequests } from './engine/idempotent-requests.ts'
import { inCalendar } from './store/calendar.ts'
import type { Store } from './store/port.ts'
import { signCursors } from './store/signed-cursors.ts'

export function showStore(store: Store, options: { readonly secretBox: Keyring; readonly ttlMs: number }) {
  const idempotentRequests = new IdempotentRequests({ store, randomBytes, ...options })
  const shown = signCursors(inCalendar(idempotentRequests.rememberWrites(store)), options.secretBox)
  return { shown, idempotentRequests }
}
