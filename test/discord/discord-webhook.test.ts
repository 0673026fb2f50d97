import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { DiscordWebhook, type DiscordWebhookOptions, messageIdOf } from '../../src/discord/discord-webhook.ts'
import { DiscordRateLimits } from '../../src/discord/rate-limits.ts'
import { aDiscord, aWebhook } from './a-discord.ts'

test('S0.16: a message carries name, avatar and embeds of builders and plain objects', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url, { username: 'deploys', avatarUrl: 'https://cdn.example/a.png' })
  const builder = { toJSON: () => ({ title: 'built', color: 1 }) }
  const result = await webhook.send({ content: 'hello', embeds: [builder, { title: 'plain' }] })
  expect(result).toMatchObject({ ok: true, status: 204, attempts: 1 })
  expect(discord.posted(url)).toEqual([
    {
      content: 'hello',
      embeds: [{ title: 'built', color: 1 }, { title: 'plain' }],
      username: 'deploys',
      avatar_url: 'https://cdn.example/a.png',
      allowed_mentions: { parse: [] },
    },
  ])
})

test('S0.16: a message can bring its own name and avatar, for itself alone', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url, { username: 'deploys', avatarUrl: 'https://cdn.example/a.png' })
  await webhook.send({ content: '1', username: 'guest', avatarUrl: 'https://cdn.example/b.png' })
  await webhook.send('2')
  expect(discord.posted(url)).toMatchObject([
    { username: 'guest', avatar_url: 'https://cdn.example/b.png' },
    { username: 'deploys', avatar_url: 'https://cdn.example/a.png' },
  ])
})

test('a pool is used in turn', async () => {
  const discord = await aDiscord()
  const urls = [discord.createWebhook(), discord.createWebhook()]
  const webhook = aWebhook(urls)
  for (const content of ['1', '2', '3']) await webhook.send(content)
  expect(urls.map((url) => discord.posted(url).map(({ content }) => content))).toEqual([['1', '3'], ['2']])
})

test('S2.8: nobody is pinged unless it is said who may be, and an empty object is kept', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url)
  await webhook.send('@everyone')
  await webhook.send({ content: '@everyone', allowedMentions: {} })
  await webhook.send({ content: '@everyone', allowedMentions: { parse: ['everyone'] } })
  expect(discord.posted(url).map((body) => body.allowed_mentions)).toEqual([
    { parse: [] },
    {},
    { parse: ['everyone'] },
  ])
})

test('a sent message can be edited and deleted', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url, { username: 'x' })
  const sent = await webhook.send({ content: 'rolling out' }, { wait: true })
  expect(sent.status).toBe(200)
  expect(await webhook.edit(sent, { content: 'rolled out @here' })).toMatchObject({ ok: true, status: 200 })
  expect(discord.messages(url)).toMatchObject([
    { content: 'rolled out @here', allowed_mentions: { parse: [] } },
  ])
  expect(await webhook.delete(messageIdOf(sent) ?? '')).toMatchObject({ ok: true, status: 204 })
  expect(discord.messages(url)).toEqual([])
})

test('a message of a pool is edited where it was sent', async () => {
  const discord = await aDiscord()
  const urls = [discord.createWebhook(), discord.createWebhook()]
  const webhook = aWebhook(urls, { wait: true })
  await webhook.send('first')
  const second = await webhook.send('second')
  await webhook.edit(second, 'edited')
  expect(urls.map((url) => discord.messages(url).map(({ content }) => content))).toEqual([
    ['first'],
    ['edited'],
  ])
})

test('a result without a message id cannot be edited, and says so without a request', async () => {
  const discord = await aDiscord()
  const webhook = aWebhook(discord.createWebhook())
  const sent = await webhook.send('no wait')
  const edited = await webhook.edit(sent, 'x')
  expect(edited).toMatchObject({ ok: false, attempts: 0, errorCode: 'invalid_body' })
  expect(edited.error).toContain('wait: true')
  expect(await webhook.delete('1/../../x')).toMatchObject({ ok: false, attempts: 0 })
})

test('messages go into threads by id, and open one by name', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url)
  const sent = await webhook.send('in a thread', { threadId: '123', wait: true })
  await webhook.edit(sent, 'changed', { threadId: '123' })
  await webhook.send({ content: 'new', threadName: 'postmortem', appliedTags: ['9'] })
  expect(discord.requests.map(({ query }) => query.get('thread_id'))).toEqual(['123', '123', null])
  expect(discord.posted(url).at(-1)).toMatchObject({ thread_name: 'postmortem', applied_tags: ['9'] })
})

test('components are asked to be shown, when sent and when edited', async () => {
  const discord = await aDiscord()
  const webhook = aWebhook(discord.createWebhook(), { wait: true })
  const components = [{ type: 1, components: [{ type: 2, style: 5, label: 'log', url: 'https://h/' }] }]
  const sent = await webhook.send({ content: 'red', components }, { threadId: '5' })
  await webhook.edit(sent, { components }, { threadId: '5' })
  await webhook.send('green')
  expect(discord.requests.map(({ query }) => query.get('with_components'))).toEqual(['true', 'true', null])
})

test.each([
  ['a misspelt onLimit', { onLimit: 'truncat' }],
  ['a maxFileBytes below 0', { maxFileBytes: -1 }],
  ['a header that the sender sets', { headers: { host: 'x' } }],
])('making a webhook with %s throws', (_name, options) => {
  expect(() => new DiscordWebhook('http://h', options as DiscordWebhookOptions)).toThrow(OuthookError)
})

test('a limit of no requests is refused', () => {
  expect(() => new DiscordRateLimits({ globalPerSecond: 0 })).toThrow('globalPerSecond must be')
})

test('files go out as multipart beside the message', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  const files = [
    { name: 'a "b"\r\n.bin', data: bytes, description: 'all bytes' },
    { name: 'log.txt', data: 'grüße\n', contentType: 'text/plain' },
  ]
  const result = await aWebhook(url).send({ content: 'see', files })
  expect(result.ok).toBe(true)
  const [request] = discord.requests
  expect(request?.payload).toEqual({
    content: 'see',
    allowed_mentions: { parse: [] },
    attachments: [
      { id: 0, filename: 'a "b"\r\n.bin', description: 'all bytes' },
      { id: 1, filename: 'log.txt' },
    ],
  })
  expect(request?.files.map(({ field, type }) => [field, type])).toEqual([
    ['files[0]', 'application/octet-stream'],
    ['files[1]', 'text/plain'],
  ])
  expect(request?.files[0]?.bytes.equals(Buffer.from(bytes))).toBe(true)
  expect(request?.files[1]?.bytes.toString()).toBe('grüße\n')
})

test('a deleted webhook is given up at once', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  discord.deleteWebhook(url)
  const result = await aWebhook(url).send('x')
  expect(result).toMatchObject({ ok: false, status: 404, attempts: 1 })
  expect(result.response).toEqual({ message: 'Unknown Webhook', code: 10015 })
})

test('S2.18: a probe asks whether the webhook exists and posts nothing', async () => {
  const discord = await aDiscord()
  const urls = [discord.createWebhook(), discord.createWebhook()]
  discord.deleteWebhook(urls[1] ?? '')
  const results = await aWebhook(urls).probe()
  expect(results.map(({ ok, status }) => [ok, status])).toEqual([
    [true, 200],
    [false, 404],
  ])
  expect(urls.flatMap((url) => discord.messages(url))).toEqual([])
})

test('D4: requests do not call themselves python-urllib', async () => {
  const discord = await aDiscord()
  await aWebhook(discord.createWebhook()).send('x')
  expect(discord.requests[0]?.headers['user-agent']).toMatch(/^outhook\//)
})

test('S2.11: what cannot be a message is a result', async () => {
  const discord = await aDiscord()
  const webhook = aWebhook(discord.createWebhook())
  const cyclic: Record<string, unknown> = { title: 'x' }
  cyclic.self = cyclic
  const thrower = {
    toJSON() {
      throw new Error('builder is broken')
    },
  }
  const hostile = [
    null,
    undefined,
    { embeds: 5 },
    { embeds: [cyclic] },
    { embeds: [thrower] },
    {},
    { content: 9n },
  ]
  for (const message of hostile) {
    expect(await webhook.send(message as never)).toMatchObject({
      ok: false,
      attempts: 0,
      errorCode: 'invalid_body',
    })
  }
  expect(discord.requests).toEqual([])
})

test('S2.10: neither the webhook nor its results print the token', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const token = url.split('/').at(-1) ?? ''
  const webhook = aWebhook(url, { maxRetries: 0 })
  const results = [
    await webhook.send('x', { wait: true }),
    await webhook.send({ content: `${url} `.repeat(30) }),
    await webhook.delete('123'),
    ...(await webhook.probe()),
  ]
  const printed = [webhook, ...results].flatMap((value) => [
    inspect(value, { depth: 9 }),
    JSON.stringify(value),
    String(value),
  ])
  expect(printed.filter((text) => text?.includes(token))).toEqual([])
})
