// A message that is edited while things move on, with a file. Needs a webhook: DISCORD_WEBHOOK=… node examples/discord-release.ts
import { buildEmbed, DiscordWebhook } from 'outhook/discord'

const url = process.env.DISCORD_WEBHOOK ?? ''
const say = (text: string) => process.stdout.write(`${text}\n`)

const discord = new DiscordWebhook(url, { username: 'releases', onLimit: 'truncate' })

const started = await discord.send(
  {
    embeds: [
      buildEmbed({
        title: 'v1.2.3 is rolling out',
        description: 'Three regions, one after the other.',
        color: 0x3399ff,
        fields: [{ name: 'by', value: 'ci' }],
      }),
    ],
    files: [{ name: 'changes.md', data: '# v1.2.3\n\n- faster\n' }],
  },
  { wait: true },
)
if (!started.ok) throw new Error(`not posted: ${started.error}`)

for (const region of ['eu', 'us', 'ap']) {
  const { ok } = await discord.edit(started, { content: `rolled out to ${region}` })
  say(`${region}: ${ok ? 'posted' : 'not posted'}`)
}
await discord.close()
