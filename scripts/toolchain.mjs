// What the scripts share: where things are, and how to run npm and a Node that is new enough.
// Plain JavaScript without dependencies, because it runs before anything is installed, on Node 20 too.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')

/** `[major, minor]` of the oldest Node that Outhook runs on, from `engines`. */
function requiredNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return engines.node.replace('>=', '').split('.').map(Number)
}

export function isNodeNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number)
  const [requiredMajor, requiredMinor] = requiredNode()
  return major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)
}

/** True when this very process runs on the Node that an earlier set-up put into `node_modules`. */
export function runsOnLocalNode() {
  return process.execPath.startsWith(modules + sep)
}

const localNode = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

export function hasLocalNode() {
  return existsSync(localNode)
}

/** The Node to run things with: the local one where there is one, else this one. */
export function nodePath() {
  return hasLocalNode() ? localNode : process.execPath
}

/**
 * Runs a program and resolves with its exit code and, with `capture`, everything that it wrote.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ capture?: boolean, shell?: boolean, env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(file, args, { capture = false, shell = false, env = process.env, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'inherit'
    const child = spawn(file, args, { cwd, stdio, shell, env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs the npm that started this script, or the one on the PATH. */
export function runNpm(args, options = {}) {
  const { npm_execpath: npm, npm_node_execpath: node } = process.env
  if (npm?.endsWith('.js')) return run(node ?? process.execPath, [npm, ...args], options)
  return run('npm', args, { ...options, shell: process.platform === 'win32' })
}
