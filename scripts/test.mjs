// Runs vitest and ends with one plain line of counts, for people and for programs that read logs.
//   node scripts/test.mjs            everything
//   node scripts/test.mjs --fast     everything but test/slow/ and what needs a database server
//   node scripts/test.mjs ARGS...    ARGS go to vitest
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodePath, root } from './toolchain.mjs'

const minutes = 60_000
const args = process.argv.slice(2)
const fast = args.includes('--fast')
// What takes minutes, or a database server.
const slowTests = ['test/slow/**', 'test/**/postgres*.test.ts']
const limitMs = fast ? 5 * minutes : 20 * minutes

const scratch = mkdtempSync(join(tmpdir(), 'outhook-test-run-'))
const report = join(scratch, 'report.json')

function vitestArgs() {
  return [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...(fast ? slowTests.flatMap((pattern) => ['--exclude', pattern]) : []),
    ...args.filter((arg) => arg !== '--fast'),
  ]
}

/** Resolves with vitest's exit code; a run that does not end is ended and counts as failed. */
function runVitest() {
  return new Promise((resolve, reject) => {
    const child = spawn(nodePath(), vitestArgs(), { cwd: root, stdio: 'inherit' })
    const watchdog = setTimeout(() => {
      process.stderr.write(`The tests did not end within ${limitMs / minutes} minutes: something hangs.\n`)
      child.kill('SIGKILL')
    }, limitMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(watchdog)
      resolve(code ?? 1)
    })
  })
}

function readCounts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

// Ctrl-C reaches vitest through the terminal; this process waits for it, to clean up and to count.
process.on('SIGINT', () => {})
const code = await runVitest()
const { passed, failed, skipped } = readCounts()
rmSync(scratch, { recursive: true, force: true })

// A file that cannot be loaded or an error outside a test fails the run without failing a test.
const failures = code === 0 ? failed : Math.max(1, failed)
process.stdout.write(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exit(failures === 0 && passed > 0 ? 0 : 1)
