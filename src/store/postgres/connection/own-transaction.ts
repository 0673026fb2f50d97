import type { Context } from './statement.ts'
import { isConnectionFault } from './store-error.ts'

/** On the connection of statements that are transactions by themselves. */
export async function inTransaction<T>(context: Context, work: () => Promise<T>): Promise<T> {
  const begun = context.query(null, 'begin', [])
  begun.catch(() => {})
  try {
    const result = await work()
    await begun
    await context.query(null, 'commit', [])
    return result
  } catch (error) {
    if (!isConnectionFault(error)) await context.query(null, 'rollback', [])
    throw error
  }
}
