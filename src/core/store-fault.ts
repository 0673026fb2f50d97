/** Why a store cannot be used, where that is known: what the operator does about it differs. */
export type StoreFault =
  /** Somebody else holds a lock, or all connections; it passes. */
  | 'busy'
  /** No room on the disk, or in a quota. */
  | 'full'
  /** What is stored cannot be read as it was written. */
  | 'damaged'
  /** The files that are open are no longer those at their paths. */
  | 'moved'
  | 'read_only'
  /** The disk, or what it hangs on, refuses to read or write. */
  | 'io_error'
  /** Nobody answers. */
  | 'unreachable'

/** What happened, and what to do; without names and addresses, as producers read it too. */
const words: Readonly<Record<StoreFault, string>> = {
  busy: 'the database is busy: somebody else holds a lock on it or all of its connections; it passes when they let go',
  full: 'the disk of the database is full; make room',
  damaged:
    'the database is damaged; stop the server, and restore a backup or repair it ("outhook doctor" says more)',
  moved:
    'the database file was deleted, moved or replaced; "outhook backup" can still rescue it while the process runs',
  read_only: 'the database takes no writes; it is a standby, or was made read-only',
  io_error: 'the disk of the database fails to read or write (I/O error); check it',
  unreachable: 'the database cannot be reached; check that it runs, and its address or path',
}

export function describeStoreFault(fault: StoreFault): string {
  return words[fault]
}
