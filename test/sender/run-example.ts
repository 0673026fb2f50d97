/** Runs an example as it stands, but on the sources instead of the installed package. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { patienceMs } from '../patience.ts'

const root = new URL('../../', import.meta.url)

export interface ExampleOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
}

/** Resolves with what it wrote to stdout; stderr must stay empty but for a server's farewell. The command `outhook`, where it runs it, is the built one. */
export async function runExample(name: string, options: ExampleOptions = {}): Promise<string> {
  const { env = {}, flags = [] } = options
  const folder = mkdtempSync(join(tmpdir(), 'outhook-example-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const command = join(folder, 'outhook')
  writeFileSync(
    command,
    `#!/bin/sh\nexec "${process.execPath}" "${fileURLToPath(new URL('bin/outhook.mjs', root))}" "$@"\n`,
  )
  chmodSync(command, 0o755)
  // For the frameworks that an example uses.
  symlinkSync(fileURLToPath(new URL('node_modules', root)), join(folder, 'node_modules'), 'junction')
  const code = readFileSync(new URL(`examples/${name}`, root), 'utf8')
  const file = join(folder, name.replace('.ts', '.mts'))
  const onSources = (_: string, entry: string) => `'${new URL(`src/${entry}/index.ts`, root).href}'`
  writeFileSync(file, code.replace(/'outhook\/(\w+)'/g, onSources))
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--experimental-strip-types', '--no-warnings', ...flags, file],
    {
      timeout: patienceMs,
      env: { PATH: `${folder}${delimiter}${process.env.PATH}`, ...env },
      cwd: folder,
    },
  )
  expect(stderr.replace(/^stopping: .*\n$/, '')).toBe('')
  return stdout
}
