/** Announces a configuration write, also one that failed: it may have happened, and no cache may outlive it. */
export async function announceAfter<T>(write: Promise<T>, announce: () => void): Promise<T> {
  try {
    return await write
  } finally {
    announce()
  }
}
