// The browser that tests use. On the machine, or else the one of test/browser/, which its packages bring with the libraries
// and fonts that it needs. Plain JavaScript, because the set-up asks for it too.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodePath, root, run } from './toolchain.mjs'

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
]

export const browserFolder = join('test', 'browser')
// Where `npm ci` takes it away with what it was unpacked from.
const unpacked = join(root, browserFolder, 'node_modules', '.unpacked')
const program = join(unpacked, 'browser')

/** `OUTHOOK_CHROMIUM` names one; else what is on the path, else what the set-up has fetched. */
export function findBrowser() {
  const named = process.env.OUTHOOK_CHROMIUM
  return (named ? [named] : [...names, program]).find(runs) ?? null
}

function runs(name) {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The package has a program for these alone. */
export const canBeFetched = process.platform === 'linux' && process.arch === 'x64'

/** Of what was installed; throws when it does not run here. */
export async function unpackBrowser() {
  rmSync(unpacked, { recursive: true, force: true })
  mkdirSync(unpacked, { recursive: true })
  // It is asked for the libraries that it brings for machines without any, as those are for which it is made.
  const env = { ...process.env, TMPDIR: unpacked, AWS_LAMBDA_JS_RUNTIME: 'nodejs24.x' }
  const script = join(root, browserFolder, 'unpack.mjs')
  const { code, output } = await run(nodePath(), [script], { capture: true, env })
  if (code !== 0) throw new Error(output)
  // Its own configuration names folders that are not here, and without a font it ends at the first text.
  writeFileSync(join(unpacked, 'fonts.conf'), fontsConfiguration())
  // Last: it is found by this file.
  writeFileSync(program, starter(join(unpacked, 'chromium')), { mode: 0o755 })
  if (!existsSync(join(unpacked, 'chromium')) || !runs(program)) throw new Error(`${program} does not run`)
}

function fontsConfiguration() {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${join(unpacked, 'fonts')}</dir>
  <cachedir>${join(unpacked, 'fonts-cache')}</cachedir>
  <config></config>
</fontconfig>
`
}

function starter(chromium) {
  return `#!/bin/sh
export LD_LIBRARY_PATH='${join(unpacked, 'al2023', 'lib')}'
export FONTCONFIG_FILE='${join(unpacked, 'fonts.conf')}'
exec '${chromium}' "$@"
`
}
