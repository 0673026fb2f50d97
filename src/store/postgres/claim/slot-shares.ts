import type { SlotShares } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import { lowerShares, type NodeIdentity, removeNode, renewShares } from './shares.ts'

/** On the connection that claims, so that no share grows while it is lowered. */
export function createShares(
  { plain, atomic }: Pick<Runner, 'plain' | 'atomic'>,
  node: NodeIdentity,
): SlotShares {
  return {
    renew: (lease) => atomic('claim', (context) => renewShares(context, node, lease)),
    lower: (slots) => plain('claim', (context) => lowerShares(context, node, slots)),
    leave: () => plain('claim', (context) => removeNode(context, node)),
  }
}
