// Compiles src/ to dist/ and adds what `bundle.mjs` makes. `node scripts/build.mjs` always does; the set-up does it when the sources changed.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildApiPage, bundleLibraries } from './bundle.mjs'
import { buildDashboard } from './dashboard.mjs'
import { nodePath, root, run } from './toolchain.mjs'

const dist = join(root, 'dist')
const stamp = join(dist, '.built-from.json')

/** Every input of the build with its size and time: also notices deleted files, which a newest time does not. */
function fingerprint() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const inputs = sources
    .filter((name) => /\.(tsx?|html|js|css|svg)$/.test(name))
    .map((name) => join('src', name))
    .concat('tsconfig.json', 'tsconfig.build.json', 'package-lock.json')
    .concat(join('scripts', 'build.mjs'), join('scripts', 'bundle.mjs'), join('scripts', 'dashboard.mjs'))
    .sort()
  return JSON.stringify(
    inputs.map((name) => {
      const { size, mtimeMs } = statSync(join(root, name))
      return [name, size, mtimeMs]
    }),
    null,
    0,
  )
}

function isFresh(current) {
  try {
    return readFileSync(stamp, 'utf8') === current
  } catch {
    return false
  }
}

async function build(say) {
  const start = performance.now()
  const before = fingerprint()
  say('building ...')
  rmSync(dist, { recursive: true, force: true })
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code } = await run(nodePath(), [compiler, '-p', 'tsconfig.build.json'])
  if (code !== 0) {
    rmSync(dist, { recursive: true, force: true })
    process.stderr.write('outhook: the build failed; the errors are above\n')
    process.exit(1)
  }
  await bundleLibraries()
  buildApiPage()
  await buildDashboard()
  writeFileSync(stamp, before)
  say(`built in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

export async function buildIfStale(say) {
  if (!isFresh(fingerprint())) await build(say)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build((text) => process.stdout.write(`outhook: ${text}\n`))
}
