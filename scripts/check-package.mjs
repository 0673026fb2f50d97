// Packs the package as it would be published and has publint and attw look at the result.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodePath, root, run, runNpm } from './toolchain.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'outhook-pack-'))

async function pack() {
  const args = ['pack', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', scratch]
  const { code, output } = await runNpm(args, { capture: true })
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1]
  if (code !== 0 || !name) throw new Error(`npm pack failed:\n${output}`)
  return join(scratch, name)
}

function runTool(script, args) {
  return run(nodePath(), [join(root, 'node_modules', ...script), ...args])
}

try {
  const tarball = await pack()
  const publint = await runTool(['publint', 'src', 'cli.js'], [tarball, '--strict'])
  // ES modules only: what CommonJS sees under older resolution rules is not promised.
  const attw = await runTool(
    ['@arethetypeswrong', 'cli', 'dist', 'index.js'],
    [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii'],
  )
  process.exitCode = publint.code === 0 && attw.code === 0 ? 0 : 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
