/** A configuration write whose outcome is unknown may have happened: what is cached must not outlive it either. */
export async function announceDoubt<T>(write: Promise<T>, announce: () => void): Promise<T> {
  try {
    return await write
  } catch (error) {
    announce()
    throw error
  }
}
