/** What users need to test their own use of Outhook: a receiver to send to, and a clock to move by hand. */
export { createManualClock, type ManualClock } from './manual-clock.ts'
export {
  type ReceivedRequest,
  type Receiver,
  type ReceiverOptions,
  type ReceiverStats,
  startReceiver,
} from './receiver.ts'
