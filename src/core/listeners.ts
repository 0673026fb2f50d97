/** Functions of the user's own that are told what happened. What is wrong with one is told, and breaks nothing else. */

/** Calls a listener. What it throws, and what a promise that it returns rejects with, goes to `onError`. */
export function callListener(call: () => unknown, onError: (error: unknown) => void): void {
  try {
    const answer = call()
    // Nobody else waits for it, and a rejection that nobody hears ends the process.
    if (answer instanceof Object && 'then' in answer) Promise.resolve(answer).catch(onError)
  } catch (error) {
    onError(error)
  }
}

/** For whoever was given no logger: a warning of the process, which Node prints with the stack. */
export function warnOfListener(listener: string, error: unknown): void {
  const [message, detail] = error instanceof Error ? [error.message, error.stack] : [String(error), undefined]
  process.emitWarning(`${listener} threw, and what it does is not done: ${message}`, {
    type: 'OuthookListenerWarning',
    ...(detail !== undefined && { detail }),
  })
}
