import type { Context } from '../connection/statement.ts'
import { lockLines, settleLines, unchanged } from './lines.ts'

/** Whose heads are gone for good; lines as the text of their numbers. */
export async function unblockLines(context: Context, lines: readonly string[]): Promise<void> {
  const numbers = lines.map(Number)
  await lockLines(context, numbers)
  await settleLines(
    context,
    numbers.map((line) => ({ ...unchanged, line, delta: -1, isUnblocked: true })),
  )
}
