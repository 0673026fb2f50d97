import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { maskSecrets, scanSecrets } from '../../src/testing/index.ts'
import { runToEnd } from '../cli/run-cli.ts'

const run = promisify(execFile)
// Put together here, so that scanning this repository finds nothing.
const token = 'aB3-_'.repeat(14)
const discordUrl = `https://discord.com/${'api/webhooks'}/${'1'.repeat(18)}/${token}`
const guid = 'a1b2c3d4-0000-4000-8000-a1b2c3d4e5f6'
const hex = '0123456789abcdef'.repeat(2)

const real: readonly (readonly [kind: string, url: string])[] = [
  ['discord', discordUrl],
  ['discord', discordUrl.replace('discord.com', 'discordapp.com')],
  ['discord', discordUrl.replace('discord.com/api', 'canary.discord.com/api/v10')],
  ['discord', discordUrl.toUpperCase().replace('HTTPS', 'https')],
  ['slack', `https://hooks.slack.com/${'services'}/T0123ABCD/B0123ABCDEF/${'aB3'.repeat(8)}`],
  ['slack', `https://hooks.slack.com/${'triggers'}/T0123ABCD/1234567890123/${hex}`],
  [
    'teams',
    `https://contoso.webhook.office.com/${'webhookb2'}/${guid}@${guid}/IncomingWebhook/${hex}/${guid}`,
  ],
  ['teams', `https://outlook.office.com/${'webhook'}/${guid}@${guid}/IncomingWebhook/${hex}/${guid}`],
  [
    'teams',
    `https://prod-12.westeurope.logic.azure.com:443/${'workflows'}/${hex}/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=${'aB3-_'.repeat(9)}`,
  ],
  [
    'teams',
    `https://x1.e2.environment.api.powerplatform.com:443/powerautomate/automations/direct/${'workflows'}/${hex}/triggers/manual/paths/invoke?api-version=1&sig=${'aB3-_'.repeat(9)}`,
  ],
  ['telegram', `https://api.telegram.org/bot123456789:${'aB3-_'.repeat(7)}/sendMessage`],
]
const stubs = [
  'https://discord.com/api/webhooks/1/test',
  'https://discord.com/api/webhooks/123456789012345678/short-token',
  'https://discord.com/api/webhooks/<id>/<token>',
  'https://hooks.slack.com/services/T000/B000/XXXX',
  'https://hooks.slack.com/services/…',
  'https://contoso.webhook.office.com/webhookb2/x',
  'https://prod-1.westus.logic.azure.com/workflows/x?sig=y',
  'https://api.telegram.org/bot<token>/sendMessage',
  'DISCORD_WEBHOOK_ALERTS=',
]

describe('S2.17: the scanner', () => {
  test.each(real)('finds a real %s URL', (kind, url) => {
    const [found] = scanSecrets(`first line\nURL = "${url}" # why`)
    expect(found).toMatchObject({ kind, line: 2 })
    expect(found?.masked).toMatch(/\*\*\*$/)
    for (const part of [token, hex, 'aB3'])
      expect(found?.masked.toLowerCase()).not.toContain(part.toLowerCase())
  })

  test.each(stubs)('lets the stand-in %s pass', (url) => {
    expect(scanSecrets(url)).toEqual([])
  })

  test('finds each on its line and column, in order', () => {
    const text = `a\n${discordUrl} and ${discordUrl}\nb\n${discordUrl}`
    expect(scanSecrets(text).map(({ line, column }) => [line, column])).toEqual([
      [2, 9],
      [2, 9 + discordUrl.length + ' and '.length],
      [4, 9],
    ])
  })

  test('masks what it finds and nothing else', () => {
    expect(maskSecrets(`at ${discordUrl}: 404`)).toBe('at https://discord.com/api/webhooks/***: 404')
    for (const text of stubs) expect(maskSecrets(text)).toBe(text)
  })
})

describe('S2.17 and D7: outhook scan-secrets', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'outhook-scan-'))
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    return path
  }

  test('names file, line and column, never the secret, and ends with 1', async () => {
    const file = join(folder(), 'config.py')
    writeFileSync(file, `x = 1\nURL = '${discordUrl}'\n`)
    const { code, out, err } = await runToEnd(['scan-secrets', file])
    expect(code).toBe(1)
    expect(out).toBe(`${file}:2:16  discord webhook  discord.com/api/webhooks/***`)
    expect(err).toContain('found a webhook URL')
    expect(out + err).not.toContain(token)
  })

  test('ends with 0 when there is nothing, and with 2 when it cannot look', async () => {
    const file = join(folder(), 'clean.txt')
    writeFileSync(file, stubs.join('\n'))
    expect(await runToEnd(['scan-secrets', file])).toMatchObject({ code: 0, out: '', err: '' })
    expect((await runToEnd(['scan-secrets', join(folder(), 'gone')])).code).toBe(2)
    expect((await runToEnd(['scan-secrets'])).code).toBe(2)
  })

  test('reads standard input, and answers programs in JSON', async () => {
    const { code, out } = await runToEnd(['scan-secrets', '--json', '-'], { input: `\n\n${discordUrl}` })
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ file: '-', line: 3, kind: 'discord' })
  })

  test('as a pre-commit hook stops a commit that adds a URL, and lets one pass that takes it away', async () => {
    const repository = folder()
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: repository })
    const command = [process.execPath, resolve('src/cli/main.ts'), 'scan-secrets', '--staged']
    const scan = () => run(command[0] ?? '', command.slice(1), { cwd: repository })
    await git('init', '-q')
    writeFileSync(join(repository, 'grüße app.txt'), `ok\n${discordUrl}\n`)
    writeFileSync(join(repository, 'unstaged.txt'), discordUrl)
    await git('add', 'grüße app.txt')
    await expect(scan()).rejects.toMatchObject({
      code: 1,
      stdout: 'grüße app.txt:2:9  discord webhook  discord.com/api/webhooks/***\n',
    })
    await git('commit', '-q', '--no-verify', '-m', 'leak')
    writeFileSync(join(repository, 'grüße app.txt'), 'ok\n++ b/other\n')
    await git('add', 'grüße app.txt')
    expect(await scan()).toMatchObject({ stdout: '', stderr: '' })
  })

  test('says what is wrong where there is no repository', async () => {
    const command = [resolve('src/cli/main.ts'), 'scan-secrets', '--staged']
    await expect(run(process.execPath, command, { cwd: folder() })).rejects.toMatchObject({ code: 2 })
  })
})
