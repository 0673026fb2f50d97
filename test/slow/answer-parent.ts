/** The child's side of `fork-child.ts`: to be called once it is ready. It ends with its parent. */
export function answerParent(greeting: unknown, answer: (question: unknown) => unknown): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async (question) => process.send?.(await answer(question)))
  process.send?.(greeting)
}
