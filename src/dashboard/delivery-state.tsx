/** How a delivery is, in a word, and why it waits. */
import type { Delivery } from '../client/index.ts'
import { Badge } from './kit/detail.tsx'

export function DeliveryState({ of }: { readonly of: Pick<Delivery, 'state' | 'reason'> }) {
  const is = of.state === 'succeeded' ? 'good' : of.state === 'dead_lettered' ? 'bad' : 'plain'
  return (
    <>
      <Badge is={is}>{of.state.replaceAll('_', ' ')}</Badge>
      {of.reason !== null && <p class="hint">{of.reason.replaceAll('_', ' ')}</p>}
    </>
  )
}
