/**
 * Tells the relays of this process that something was written to an outbox in a SQLite file, and is perhaps about to be
 * committed. A hint: they look by themselves. By a channel of the process, so that two installed copies of the package
 * hear each other.
 */
import { channel } from 'node:diagnostics_channel'

const news = channel('outhook:outbox')

export function tellOfOutbox(): void {
  news.publish({})
}

/** The returned function ends it. */
export function hearOfOutbox(listener: () => void): () => void {
  // Not the listener itself: given to two relays it would be taken from both.
  const heard = (): void => listener()
  news.subscribe(heard)
  return () => void news.unsubscribe(heard)
}
