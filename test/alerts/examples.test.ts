/** The examples about Discord and alerts. */
import { expect, test } from 'vitest'
import { aDiscord } from '../discord/a-discord.ts'
import { runExample } from '../sender/run-example.ts'

test('discord-release posts a message with a file, and edits it', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const output = await runExample('discord-release.ts', { env: { DISCORD_WEBHOOK: url } })
  expect(output).toBe('eu: posted\nus: posted\nap: posted\n')
  expect(discord.messages(url)).toMatchObject([{ content: 'rolled out to ap' }])
  expect(discord.requests[0]?.files.map(({ name }) => name)).toEqual(['changes.md'])
})

test('alerts-from-a-service posts three of ten, and a summary', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const output = await runExample('alerts-from-a-service.ts', { env: { DISCORD_WEBHOOK_ALERTS: url } })
  expect(output).toBe('channel alerts: up\ndelivered 4, held back 7, summaries 1\n')
  expect(JSON.stringify(discord.posted(url).at(-1))).toContain('7 more: ')
})

test.skipIf(process.platform === 'win32')(
  'server-alerts hears of dead letters and of the disabled endpoint',
  async () => {
    const output = await runExample('server-alerts.ts')
    expect(output.trim().split('\n').sort()).toEqual([
      '[P1] A delivery was given up',
      '[P1] A delivery was given up',
      '[P1] An endpoint was disabled',
    ])
  },
)
