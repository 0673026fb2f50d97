// Runs vitest and ends with one plain line of counts, for people and for programs that read logs.
//   node scripts/test.mjs            everything
//   node scripts/test.mjs --fast     everything but test/slow/ and what needs a database server
//   node scripts/test.mjs ARGS...    ARGS go to vitest
// A run that hangs is cut off after a while (--limit=MINUTES), and says what had failed and what was running by then.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRecord } from './run-record.mjs'
import { nodePath, root } from './toolchain.mjs'

const minuteMs = 60_000
const args = process.argv.slice(2)
const fast = args.includes('--fast')
// Not the time that a run should take, which CONTRIBUTING names: a slow or busy machine is no failure.
const limitMinutes = Number(args.find((arg) => arg.startsWith('--limit='))?.slice(8) ?? (fast ? 15 : 45))
const isWindows = process.platform === 'win32'

const scratch = mkdtempSync(join(tmpdir(), 'outhook-test-run-'))
const record = join(scratch, 'record.jsonl')

function vitestArgs() {
  return [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    `--reporter=${join(root, 'scripts', 'run-record.mjs')}`,
    // What is slow mostly waits, for processes and deadlines: with three files at a time two cores have something to do.
    ...(fast ? ['--project=fast'] : ['--maxWorkers=3']),
    ...args.filter((arg) => arg !== '--fast' && !arg.startsWith('--limit=')),
  ]
}

/** Resolves with vitest's exit code, and with why it was cut off, if it was. */
function runVitest() {
  return new Promise((resolve, reject) => {
    // Not one of Outhook's own names: the programs that are tested refuse those that they do not know.
    const env = { ...process.env, TEST_RUN_RECORD: record }
    // A group of its own, so that what hangs ends with all that it started. Its input tells it when this process is gone.
    const stdio = ['pipe', 'inherit', 'inherit']
    const child = spawn(nodePath(), vitestArgs(), { cwd: root, stdio, env, detached: !isWindows })
    let why = null
    const cutOff = (reason) => {
      why ??= reason
      signal(child, 'SIGKILL')
    }
    const watchdog = setTimeout(
      () => cutOff(`The tests did not end within ${limitMinutes} minutes: something hangs.`),
      limitMinutes * minuteMs,
    )
    // Vitest ends by itself on the first Ctrl-C, which no longer reaches it through the terminal.
    let interrupted = false
    process.on('SIGINT', () => {
      if (interrupted) return cutOff('The tests were interrupted.')
      interrupted = true
      signal(child, 'SIGINT')
    })
    for (const name of ['SIGTERM', 'SIGHUP'])
      process.on(name, () => cutOff(`The tests were ended by ${name}.`))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(watchdog)
      resolve({ code: code ?? 1, why })
    })
  })
}

function signal(child, name) {
  try {
    if (isWindows) child.kill(name)
    else process.kill(-child.pid, name)
  } catch {
    // It has ended.
  }
}

function tellWhatWasCutOff(why, { failures, running }) {
  const failed = failures.map(({ name, messages }) => `FAILED ${name}\n${messages.map(indent).join('\n')}`)
  const lines = [why, ...failed, ...running.map((name) => `still running: ${name}`)]
  process.stderr.write(`\n${lines.join('\n')}\n`)
}

function indent(text) {
  return text.replace(/^/gm, '    ')
}

const { code, why } = await runVitest()
const told = readRecord(record)
rmSync(scratch, { recursive: true, force: true })
if (why !== null) tellWhatWasCutOff(why, told)

const { passed, failed, skipped } = told.counts
// A file that cannot be loaded or an error outside a test fails the run without failing a test.
const failures = code === 0 ? failed : Math.max(1, failed)
process.stdout.write(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exit(failures === 0 && passed > 0 ? 0 : 1)
