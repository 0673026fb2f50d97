// Makes a fresh clone ready: dependencies, a Node that is new enough, and with --build the compiled program.
// With --servers also what tests run against and in. Does nothing, quickly, when all is there. Each npm script has it as its `pre` script: a separate shell,
// because one shell would remember the place of an old `node` and not look for the new one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildIfStale } from './build.mjs'
import { browserFolder, canBeFetched, findBrowser, unpackBrowser } from './test-browser.mjs'
import { hasLocalNode, isNodeNewEnough, root, runNpm, runsOnLocalNode } from './toolchain.mjs'

const nodeToInstall = 'node@24'
const servers = join('test', 'servers')

function say(text) {
  process.stdout.write(`outhook: ${text}\n`)
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return null
  }
}

/**
 * npm writes `node_modules/.package-lock.json` last, so it also proves that the installation ended. Packages
 * are compared one by one, since file times say nothing in a fresh clone.
 */
function isInstalled(folder = '') {
  const wanted = readPackages(join(folder, 'package-lock.json'))
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const found = installed[path]
    return found ? found.version === version : optional === true
  })
}

const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier', '--include=dev']

async function npmOrExit(args, whatFailed, folder = '') {
  const { code, output } = await runNpm([...args, ...quiet], { capture: true, cwd: join(root, folder) })
  if (code === 0) return
  process.stderr.write(`${output}\nouthook: ${whatFailed} (npm ended with ${code}; what it said is above)\n`)
  process.exit(1)
}

async function install() {
  const seconds = stopwatch()
  say('installing dependencies ...')
  // The Node inside node_modules must not be deleted under npm's feet: keep it and install around it.
  const args = runsOnLocalNode() ? ['install', '--no-save', nodeToInstall] : ['ci']
  await npmOrExit(
    args,
    'the dependencies could not be installed; check the network and run the command again',
  )
  say(`dependencies installed in ${seconds()} s`)
}

/** The database servers that tests run against: 120 MB that only tests need, and not where one is named. */
async function installServers() {
  if (process.env.OUTHOOK_TEST_POSTGRES_URL || isInstalled(servers)) return
  const seconds = stopwatch()
  say('fetching PostgreSQL for the tests ...')
  await npmOrExit(
    ['ci'],
    'PostgreSQL could not be fetched; name a running server in OUTHOOK_TEST_POSTGRES_URL instead',
    servers,
  )
  say(`PostgreSQL ready in ${seconds()} s`)
}

/**
 * The browser that the dashboard is tested in, where none is on the machine: 75 MB. Without one the tests that need it
 * fail and say so; all others can still be run.
 */
async function installBrowser() {
  if (process.env.OUTHOOK_CHROMIUM || findBrowser() !== null) return
  if (!canBeFetched) return say('no Chromium is on this machine: tests that need one will fail; install one')
  const seconds = stopwatch()
  say('fetching a browser for the tests ...')
  const { code, output } = await runNpm(['ci', ...quiet], { capture: true, cwd: join(root, browserFolder) })
  try {
    if (code !== 0) throw new Error(output)
    await unpackBrowser()
    say(`browser ready in ${seconds()} s`)
  } catch (error) {
    say(`no browser could be fetched, so tests that need one will fail; install Chromium. ${error.message}`)
  }
}

async function installNode() {
  const seconds = stopwatch()
  say(`this machine's Node.js is older than Outhook needs: fetching a newer one into node_modules ...`)
  const failed = 'no newer Node.js could be installed; install Node.js 24 yourself and run the command again'
  await npmOrExit(['install', '--no-save', nodeToInstall], failed)
  if (!hasLocalNode()) {
    process.stderr.write(`outhook: ${failed} (npm's install scripts may be switched off)\n`)
    process.exit(1)
  }
  say(`Node.js ready in ${seconds()} s`)
}

function stopwatch() {
  const start = performance.now()
  return () => ((performance.now() - start) / 1000).toFixed(1)
}

if (!isInstalled()) await install()
// A fresh installation also removes the Node that an earlier set-up had added.
if (!hasLocalNode() && !isNodeNewEnough()) await installNode()
if (process.argv.includes('--servers')) {
  await installServers()
  await installBrowser()
}
if (process.argv.includes('--build')) await buildIfStale(say)
