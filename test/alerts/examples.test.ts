/** The examples about Discord and alerts run as they stand, but on the sources instead of the installed package. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { aDiscord } from '../discord/a-discord.ts'

const root = new URL('../../', import.meta.url)

async function runExample(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'outhook-example-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const code = readFileSync(new URL(`examples/${name}`, root), 'utf8')
  const file = join(folder, name.replace('.ts', '.mts'))
  const onSources = (_: string, entry: string) => `'${new URL(`src/${entry}/index.ts`, root).href}'`
  writeFileSync(file, code.replace(/'outhook\/(\w+)'/g, onSources))
  const flags = ['--experimental-strip-types', '--no-warnings', file]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { timeout: 10_000, env })
  expect(stderr).toBe('')
  return stdout
}

test('discord-release posts a message with a file, and edits it', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const output = await runExample('discord-release.ts', { DISCORD_WEBHOOK: url })
  expect(output).toBe('eu: posted\nus: posted\nap: posted\n')
  expect(discord.messages(url)).toMatchObject([{ content: 'rolled out to ap' }])
  expect(discord.requests[0]?.files.map(({ name }) => name)).toEqual(['changes.md'])
})

test('alerts-from-a-service posts three of ten, and a summary', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const output = await runExample('alerts-from-a-service.ts', { DISCORD_WEBHOOK_ALERTS: url })
  expect(output).toBe('channel alerts: up\ndelivered 4, held back 7, summaries 1\n')
  expect(JSON.stringify(discord.posted(url).at(-1))).toContain('7 more: ')
})
