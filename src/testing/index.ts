/**
 * What users need to test their own use of Outhook: a receiver, a clock to move by hand, a guard against real sends, a
 * scanner for webhook URLs that must not be committed.
 */
import '../required-node.ts'

export { type FoundSecret, maskSecrets, type SecretKind, scanSecrets } from '../core/secret-scan.ts'
export {
  type GuardAnswer,
  type GuardedSend,
  type GuardOptions,
  guardSends,
  type SendGuard,
} from './guard-sends.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export {
  type ReceivedRequest,
  type Receiver,
  type ReceiverOptions,
  type ReceiverStats,
  startReceiver,
} from './receiver.ts'
