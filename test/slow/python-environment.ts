/** A scratch environment of Python with packages of its index, or why it cannot be had on this machine. */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface PythonEnvironment {
  /** Null when it can be used. */
  readonly missing: string | null
  /** Runs a program of `test/slow/python/` and parses what it prints. */
  run(program: string, input: unknown): Promise<Record<string, unknown>>
  remove(): void
}

export async function createPythonEnvironment(packages: readonly string[]): Promise<PythonEnvironment> {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-python-'))
  const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin')
  return {
    missing: await install(folder, bin, packages),
    run: (program, input) => runProgram(join(bin, 'python'), program, input),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function install(folder: string, bin: string, packages: readonly string[]): Promise<string | null> {
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: 300_000 })
  } catch {
    return 'python3 with venv is not on this machine'
  }
  try {
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]
    await run(join(bin, 'python'), args, { timeout: 240_000 })
    return null
  } catch {
    return `${packages.join(', ')} cannot be had from the package index`
  }
}

async function runProgram(python: string, program: string, input: unknown): Promise<Record<string, unknown>> {
  const file = resolve(import.meta.dirname, 'python', program)
  const child = spawn(python, [file], { env: { ...process.env, PYTHONUTF8: '1' } })
  child.stdin.end(JSON.stringify(input))
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (out === '') throw new Error(error)
  return JSON.parse(out) as Record<string, unknown>
}
