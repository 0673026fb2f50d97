// A vitest reporter that writes down what happens as it happens, so that a run which is cut off can still be told:
// one JSON object a line, in the file that TEST_RUN_RECORD names.
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root } from './toolchain.mjs'

const file = process.env.TEST_RUN_RECORD

function note(entry) {
  if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`)
}

export default class RunRecord {
  constructor() {
    // Nobody ends the run any more once whoever started it, and holds the other end of its input, has been killed.
    if (!file) return
    process.stdin.on('close', () => process.kill(process.platform === 'win32' ? process.pid : 0, 'SIGKILL'))
    process.stdin.resume().unref()
  }

  onTestModuleStart({ moduleId }) {
    note({ started: moduleId })
  }

  onTestCaseReady({ fullName, module }) {
    note({ started: module.moduleId, test: fullName })
  }

  onTestCaseResult(testCase) {
    const { state, errors } = testCase.result()
    const messages = (errors ?? []).map(({ message }) => message)
    note({ ended: testCase.module.moduleId, test: testCase.fullName, state, messages })
  }

  onTestModuleEnd(testModule) {
    const messages = testModule.errors().map(({ message }) => message)
    note({ ended: testModule.moduleId, state: messages.length > 0 ? 'failed' : 'passed', messages })
  }
}

/** Counts, failures and what had begun and not ended, from the file of a run. */
export function readRecord(path) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  const running = new Set()
  for (const entry of readEntries(path)) {
    const { started, ended, test, state, messages } = entry
    const name = [relative(root, started ?? ended), test].filter(Boolean).join(' > ')
    if (started) running.add(name)
    if (!ended) continue
    running.delete(name)
    if (state === 'failed') failures.push({ name, messages })
    if (test && state in counts) counts[state] += 1
  }
  return { counts, failures, running: [...running] }
}

function readEntries(path) {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line)] : []))
  } catch {
    return []
  }
}
