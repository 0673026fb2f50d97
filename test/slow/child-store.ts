import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sourceFlags } from '../source-flags.ts'

export interface ChildStore {
  readonly pid: number
  /** Lines printed so far. */
  readonly lines: readonly string[]
  waitForLines(count: number): Promise<void>
  kill(): Promise<void>
}

export function startChildStore(
  path: string,
  mode: string,
  module: 'publishing-child' | 'sqlite-life-child' = 'publishing-child',
): ChildStore {
  const script = fileURLToPath(new URL(`./${module}.ts`, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [...sourceFlags, script, path, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  if (child.stdout === null) throw new Error('no stdout')
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const check of waiting) check()
  })
  return {
    pid: child.pid ?? 0,
    lines,
    waitForLines: (count) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (lines.length < count) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        child.once('exit', () => reject(new Error('the child ended early')))
        check()
      }),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    },
  }
}
