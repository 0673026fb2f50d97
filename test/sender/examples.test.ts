/** The examples about sending run as they stand, but on the sources instead of the installed package. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const root = new URL('../../', import.meta.url)

async function runExample(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-example-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const code = readFileSync(new URL(`examples/${name}`, root), 'utf8')
  const file = join(folder, name.replace('.ts', '.mts'))
  writeFileSync(
    file,
    code.replace(/'outhook\/(\w+)'/g, (_, entry) => `'${new URL(`src/${entry}/index.ts`, root).href}'`),
  )
  const flags = ['--experimental-strip-types', '--no-warnings']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, file], {
    timeout: 10_000,
  })
  expect(stderr).toBe('')
  return stdout
}

test('send-webhook delivers after two refusals', async () => {
  const output = await runExample('send-webhook.ts')
  expect(output.trim().split('\n')).toEqual([
    expect.stringMatching(/^try 1: 500, again in \d+ ms$/),
    expect.stringMatching(/^try 2: 500, again in \d+ ms$/),
    'try 3: 200',
    'delivered after 3 tries',
  ])
})

test('send-through-proxies leaves the dead proxy out', async () => {
  const output = await runExample('send-through-proxies.ts')
  expect(output).toMatch(/^send 1: 200 through 127\.0\.0\.1:\d+ after 2 tries$/m)
  expect(output).toMatch(/^127\.0\.0\.1:1 rests$/m)
  expect(output).not.toContain('password')
})
