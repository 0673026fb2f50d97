/** On a Node that is too old, each entry of the package says so before anything else can fail. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { nodeProblem } from '../../src/required-node.ts'
import { oldNode } from '../old-node.ts'

const root = resolve(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entries = Object.entries(manifest.exports as Record<string, { readonly default: string } | string>)
  .filter(([name]) => name !== './package.json')
  .map(([name, entry]) => [name, (entry as { readonly default: string }).default] as const)
/** They need `fetch` or WebCrypto and nothing else, and run elsewhere too. */
const runsAnywhere = ['./client', './verify']
const entriesForNode = entries.filter(([name]) => !runsAnywhere.includes(name))
const isBuilt = existsSync(join(root, 'dist', 'required-node.js'))

test.each(['20.20.2', '18.0.0', '22.18.9', '21.99.0'])('Node %s is too old', (version) => {
  expect(nodeProblem(version)).toContain(
    `outhook needs Node.js 22.19 or newer, and this is ${version}. Install`,
  )
})

test.each(['22.19.0', '22.20.1', '24.0.0', '100.1.0'])('Node %s is new enough', (version) => {
  expect(nodeProblem(version)).toBeNull()
})

test('package.json, the command and the library name the same version', () => {
  expect(manifest.engines.node).toBe('>=22.19')
  expect(readFileSync(join(root, manifest.bin.outhook), 'utf8')).toContain('required = [22, 19]')
  expect(nodeProblem('0.0.0')).toContain('22.19 or newer')
})

test.each(entriesForNode)(
  'the entry "%s" imports the check before anything else, and bundlers keep it',
  (_, file) => {
    const source = readFileSync(join(root, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')), 'utf8')
    const [first] = [...source.matchAll(/^(?:import|export)\b[^']*'([^']+)'/gm)]
    expect(first?.[1]).toMatch(/^\.\.?\/required-node\.ts$/)
    expect(manifest.sideEffects).toEqual(['./dist/required-node.js'])
  },
)

test.skipIf(oldNode === null || !isBuilt).each(entriesForNode)(
  'importing "%s" on a Node that is too old says which one it needs (skipped without such a Node, or a build)',
  (_, file) => {
    const url = pathToFileURL(join(root, file)).href
    const program = `import(${JSON.stringify(url)}).catch((e) => { console.log(e.message); process.exitCode = 7 })`
    const { stdout, stderr, status } = spawnSync(oldNode ?? '', ['-e', program], { encoding: 'utf8' })
    expect(stdout).toMatch(/^outhook needs Node\.js 22\.19 or newer, and this is \d+\.\d+\.\d+\. Install/)
    expect([status, stderr]).toEqual([7, ''])
  },
)
