/** Packages of npm's index in a folder of their own, for what is too large to be installed for every test run. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const isWindows = process.platform === 'win32'

export interface NpmFolder {
  readonly path: string
  /** Null when all is there. */
  readonly missing: string | null
  /** Runs a program that one of the packages brings; resolves with what it printed, rejects with all of it. */
  run(program: string, args: readonly string[]): Promise<string>
  fileOf(program: string): string
  remove(): void
}

export async function createNpmFolder(packages: readonly string[]): Promise<NpmFolder> {
  const path = mkdtempSync(join(tmpdir(), 'outhook-npm-'))
  writeFileSync(join(path, 'package.json'), '{"type":"module","private":true}')
  const fileOf = (program: string) =>
    join(path, 'node_modules', '.bin', isWindows ? `${program}.cmd` : program)
  return {
    path,
    missing: await install(path, packages),
    fileOf,
    async run(program, args) {
      const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
      const options = { cwd: path, env, shell: isWindows, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 }
      try {
        return (await run(fileOf(program), [...args], options)).stdout
      } catch (error) {
        const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string }
        throw new Error(`${program}: ${stdout ?? ''}${stderr ?? ''}`, { cause: error })
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}

async function install(path: string, packages: readonly string[]): Promise<string | null> {
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', ...packages]
  try {
    await run(isWindows ? 'npm.cmd' : 'npm', args, { cwd: path, timeout: 240_000, shell: isWindows })
    return null
  } catch {
    return `${packages.join(', ')} cannot be had from the package index`
  }
}
