/** A module of this folder as a process of its own, which is asked questions and answers them one by one. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Child {
  /** What it said first, when it was ready. */
  readonly greeting: unknown
  ask(question: unknown): Promise<unknown>
}

/** Ended with the running test. Rejects when the process ends before it is ready. */
export async function forkChild(module: string, args: readonly string[] = []): Promise<Child> {
  const child = fork(join(import.meta.dirname, module), [...args], {
    env: {
      PATH: process.env.PATH,
      NODE_NO_WARNINGS: '1',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    },
    serialization: 'advanced',
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const answer = async (): Promise<unknown> => {
    const message = once(child, 'message').then(([value]): unknown => value)
    const end = ended.then(([code]) => {
      throw new Error(`${module} ended with ${code}`)
    })
    return Promise.race([message, end])
  }
  const greeting = await answer()
  let last: Promise<unknown> = Promise.resolve()
  const ask = (question: unknown): Promise<unknown> => {
    last = last.then(() => {
      const answered = answer()
      child.send(question as object)
      return answered
    })
    return last
  }
  return { greeting, ask }
}
