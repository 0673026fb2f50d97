/** `scripts/test.mjs`: what is said of a run that is cut off. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly output: () => string
  /** The id of the process that hangs, once it does and the other file of tests has ended. */
  readonly hanging: Promise<number>
}

function startRun(...args: readonly string[]): Run {
  const script = join(root, 'scripts', 'test.mjs')
  const child = spawn(
    process.execPath,
    [script, '--root', join(root, 'test/fixtures/hanging-run'), ...args],
    {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  let tellHanging = (_pid: number): void => {}
  const hanging = new Promise<number>((told) => {
    tellHanging = told
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const pid = /hanging in (\d+)/.exec(output)?.[1]
      if (pid && /failing\.case\.ts \(2 tests/.test(stripVTControlCharacters(output)))
        tellHanging(Number(pid))
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, output: () => output, hanging }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe.skipIf(process.platform === 'win32')('a run of tests that is cut off', () => {
  test('says what had failed and what was running, and leaves nothing behind', async () => {
    const run = startRun()
    const pid = await run.hanging
    // The same way as the time limit takes, without the time.
    run.child.kill('SIGTERM')
    expect(await run.ended).toBe(1)
    expect(run.output()).toContain('The tests were ended by SIGTERM.')
    expect(run.output()).toMatch(/^FAILED .*failing\.case\.ts > a test that fails\n.*the value it got/m)
    expect(run.output()).toMatch(/^still running: .*hanging\.case\.ts/m)
    expect(run.output()).toMatch(/^1 passed, 1 failed$/m)
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  test('after its time limit says so and fails', async () => {
    const run = startRun('--limit=0.02')
    expect(await run.ended).toBe(1)
    expect(run.output()).toContain('did not end within 0.02 minutes')
    expect(run.output()).toMatch(/^\d passed, [1-9] failed$/m)
  })

  test('ends with the process that watched over it', async () => {
    const run = startRun()
    const pid = await run.hanging
    run.child.kill('SIGKILL')
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})
