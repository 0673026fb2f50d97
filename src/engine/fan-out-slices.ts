/** Makes the deliveries of events that were published for many, slice by slice; the store makes each delivery once. */
import type { IdFactory } from '../core/ids.ts'
import type { FanOutStore, StorePace } from '../store/port.ts'
import type { DurableWork } from './work-loop.ts'

export interface FanOutSlicesOptions {
  readonly store: FanOutStore & { readonly pace: Pick<StorePace, 'fanOutSlice'> }
  readonly ids: IdFactory
  /** Another process may leave an event half fanned out, so it is looked for this often; null: there is no other. */
  readonly lookEveryMs: number | null
  /** Deliveries were made that nobody has claimed. */
  readonly onDueWork: () => void
}

export function fanOutSlices({ store, ids, lookEveryMs, onDueWork }: FanOutSlicesOptions): DurableWork {
  return {
    failing: 'events for many endpoints wait: making their deliveries failed and is tried again',
    async next() {
      const { made, more } = await store.fanOutSlice(
        Array.from({ length: store.pace.fanOutSlice }, () => ids.next('dlv')),
      )
      if (made > 0) onDueWork()
      // Where there are some and none could be made, another process is at it.
      return more && made > 0 ? 0 : lookEveryMs
    },
  }
}
