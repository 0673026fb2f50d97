/** What fans out the events of callers' transactions, where the store has any and this process delivers. */
import type { Dispatcher } from './delivery/dispatcher.ts'
import { Relay, type RelayOptions } from './engine/relay.ts'
import type { Store } from './store/port.ts'

type RelayParts = Omit<RelayOptions, 'outbox' | 'onDueWork'> & {
  readonly cluster: Store['cluster']
  readonly dispatcher: Pick<Dispatcher, 'wake'> | null
}

export function createRelay({ cluster, dispatcher, ...parts }: RelayParts): Relay | null {
  if (dispatcher === null || cluster === null) return null
  return new Relay({ ...parts, outbox: cluster.outbox, onDueWork: () => dispatcher.wake() })
}
