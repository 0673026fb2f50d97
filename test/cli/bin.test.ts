import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { oldNode } from '../old-node.ts'

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'bin', 'outhook.mjs')
const isBuilt = existsSync(join(root, 'dist', 'cli', 'main.js'))

describe('the installed command', () => {
  test.skipIf(oldNode === null)(
    'on a Node that is too old says so, and what to do (skipped without such a Node)',
    () => {
      const { status, stdout, stderr } = spawnSync(oldNode ?? '', [bin, '--version'], { encoding: 'utf8' })
      expect(status).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toMatch(
        /^outhook needs Node\.js 22\.19 or newer, and this is \d+\.\d+\.\d+\. Install a newer one.*\n$/,
      )
    },
  )

  test.skipIf(!isBuilt)(
    'prints its help and nothing on standard error (skipped before the first build)',
    () => {
      const start = performance.now()
      const { status, stdout, stderr } = spawnSync(process.execPath, [bin, '--help'], { encoding: 'utf8' })
      // A figure to look at, not an assertion: the machine may be busy.
      process.stdout.write(`outhook --help took ${Math.round(performance.now() - start)} ms\n`)
      expect(stderr).toBe('')
      expect(status).toBe(0)
      expect(stdout).toContain('Usage: outhook')
    },
  )

  test.skipIf(!isBuilt)('hands on exit codes (skipped before the first build)', () => {
    expect(spawnSync(process.execPath, [bin, 'no-such-command']).status).toBe(2)
  })
})
