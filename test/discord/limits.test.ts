import { describe, expect, test } from 'vitest'
import { buildEmbed } from '../../src/discord/build-embed.ts'
import { cutPlain, cutText } from '../../src/discord/limits.ts'
import type { DiscordMessage } from '../../src/discord/message.ts'
import { aDiscord, aWebhook } from './a-discord.ts'

const text = (length: number) => 'x'.repeat(length)
const embed = (part: object): DiscordMessage => ({ embeds: [part] })
const field = (part: object): DiscordMessage => embed({ fields: [{ name: 'n', value: 'v', ...part }] })
const list = <T>(length: number, entry: T): readonly T[] => Array.from({ length }, () => entry)

/** What has the limit, the limit, a message with so much of it, and how to see what arrived. */
const limits: readonly [name: string, max: number, build: (size: number) => DiscordMessage, part: RegExp][] =
  [
    ['content', 2000, (size) => ({ content: text(size) }), /content has/],
    ['username', 80, (size) => ({ content: 'c', username: text(size) }), /username has/],
    ['thread name', 100, (size) => ({ content: 'c', threadName: text(size) }), /threadName has/],
    ['embeds', 10, (size) => ({ embeds: list(size, { title: 't' }) }), /embeds has/],
    ['title', 256, (size) => embed({ title: text(size) }), /embeds\[0\]\.title has/],
    ['description', 4096, (size) => embed({ description: text(size) }), /embeds\[0\]\.description has/],
    [
      'fields',
      25,
      (size) => embed({ fields: list(size, { name: 'n', value: 'v' }) }),
      /embeds\[0\]\.fields has/,
    ],
    ['field name', 256, (size) => field({ name: text(size) }), /fields\[0\]\.name has/],
    ['field value', 1024, (size) => field({ value: text(size) }), /fields\[0\]\.value has/],
    ['footer', 2048, (size) => embed({ footer: { text: text(size) } }), /footer\.text has/],
    ['author', 256, (size) => embed({ author: { name: text(size) } }), /author\.name has/],
    [
      'all embeds together',
      6000,
      (size) => ({
        embeds: [
          { description: text(3000) },
          { description: text(2000), title: text(size - 5000 - 900), footer: { text: text(900) } },
        ],
      }),
      /together has/,
    ],
  ]

describe('S2.1 and S2.16: each limit, with onLimit "error"', () => {
  test.each(limits)(
    '%s: %i and one less arrive, one more is refused unsent',
    async (_name, max, build, part) => {
      const discord = await aDiscord()
      const webhook = aWebhook(discord.createWebhook())
      expect(await webhook.send(build(max - 1))).toMatchObject({ ok: true })
      expect(await webhook.send(build(max))).toMatchObject({ ok: true })
      const refused = await webhook.send(build(max + 1))
      expect(refused).toMatchObject({ ok: false, attempts: 0, errorCode: 'invalid_body' })
      expect(refused.error).toMatch(part)
      expect(refused.error).toContain(`Discord takes ${max}`)
      expect(discord.requests.length).toBe(2)
    },
  )
})

describe('S2.1 and S2.16: each limit, with onLimit "truncate"', () => {
  test.each(limits)(
    '%s: one more than %i, and ten times as much, are cut and arrive',
    async (_name, max, build) => {
      const discord = await aDiscord()
      const webhook = aWebhook(discord.createWebhook(), { onLimit: 'truncate' })
      expect(await webhook.send(build(max))).toMatchObject({ ok: true })
      expect(await webhook.send(build(max + 1))).toMatchObject({ ok: true })
      expect(await webhook.send(build(max * 10))).toMatchObject({ ok: true })
      expect(discord.requests.map(({ status }) => status)).toEqual([204, 204, 204])
    },
  )
})

test('what is cut ends with an ellipsis, exactly at the limit, and what fits is untouched', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const webhook = aWebhook(url, { onLimit: 'truncate' })
  await webhook.send({ content: text(2001) })
  await webhook.send({ content: text(2000) })
  expect(discord.posted(url).map(({ content }) => content)).toEqual([`${text(1999)}…`, text(2000)])
})

test('the 6000 characters are kept in reading order', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const big = { title: 'kept', description: text(4096), fields: list(3, { name: 'name', value: text(1024) }) }
  await aWebhook(url, { onLimit: 'truncate' }).send({ embeds: [big, { title: 'gone' }] })
  const [{ embeds = [] } = {}] = discord.posted(url) as { embeds?: (typeof big)[] }[]
  expect(embeds.length).toBe(1)
  expect(embeds[0]).toMatchObject({ title: 'kept', description: text(4096) })
  expect(embeds[0]?.fields.map(({ value }) => value.length)).toEqual([1024, 6000 - 4 - 4096 - 4 - 1024 - 4])
})

test('a character outside of the basic plane is never split', () => {
  expect(cutText('ab😀😀', 4)).toBe('ab…')
  expect(cutText('ab😀😀', 5)).toBe('ab😀…')
  expect(cutPlain('a😀', 2)).toBe('a')
})

test('a name that Discord refuses is an error, or left out', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  expect(await aWebhook(url).send({ content: 'c', username: 'Discord bot' })).toMatchObject({
    ok: false,
    attempts: 0,
  })
  expect(
    await aWebhook(url, { onLimit: 'truncate' }).send({ content: 'c', username: 'Clyde' }),
  ).toMatchObject({ ok: true })
  expect(discord.posted(url)[0]).not.toHaveProperty('username')
})

test('a field without a name is an error, or filled with something invisible; its value may be empty', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  expect((await aWebhook(url).send(field({ name: '' }))).error).toContain('is empty')
  expect(await aWebhook(url, { onLimit: 'truncate' }).send(field({ name: '' }))).toMatchObject({ ok: true })
  expect(await aWebhook(url).send(field({ value: '' }))).toMatchObject({ ok: true })
  expect(discord.posted(url).at(-1)).toMatchObject({ embeds: [{ fields: [{ name: 'n', value: '' }] }] })
})

test.each(['here', 'everyone', ' Here ', 'EVERYONE', ' '])(
  'the name "%s" is an error, or left out',
  async (username) => {
    const discord = await aDiscord()
    const url = discord.createWebhook()
    expect(await aWebhook(url).send({ content: 'c', username })).toMatchObject({ ok: false, attempts: 0 })
    const cut = aWebhook(url, { onLimit: 'truncate' })
    expect(await cut.send({ content: 'c', username })).toMatchObject({ ok: true })
    expect(discord.posted(url)[0]).not.toHaveProperty('username')
  },
)

test('a name that only begins like everyone is taken', async () => {
  const discord = await aDiscord()
  const message = { content: 'c', username: 'everyone else is here' }
  expect(await aWebhook(discord.createWebhook()).send(message)).toMatchObject({ ok: true })
})

test.each(['', ' ', '\n\t '])(
  'the content %j alone is an empty message, and is not sent',
  async (content) => {
    const discord = await aDiscord()
    for (const onLimit of ['error', 'truncate'] as const) {
      const result = await aWebhook(discord.createWebhook(), { onLimit }).send({ content })
      expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'invalid_body' })
      expect(result.error).toContain('the message is empty')
    }
  },
)

const nothingToSee: readonly object[] = [
  {},
  { color: 1, url: 'https://example.com/' },
  { title: ' ', description: '' },
  { fields: [], footer: { text: '' }, author: { name: '' } },
]

test.each(nothingToSee)('the embed %j shows nothing: an error, or left out', async (shown) => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const refused = await aWebhook(url).send({ content: 'c', embeds: [shown] })
  expect(refused).toMatchObject({ ok: false, attempts: 0, errorCode: 'invalid_body' })
  expect(refused.error).toContain('embeds[0] shows nothing')
  const cut = aWebhook(url, { onLimit: 'truncate' })
  expect(await cut.send({ content: 'c', embeds: [shown, { title: 't' }] })).toMatchObject({ ok: true })
  expect(discord.posted(url)[0]).toMatchObject({ embeds: [{ title: 't' }] })
  expect(await cut.send({ embeds: [shown] })).toMatchObject({ ok: false, attempts: 0 })
})

test.each([
  { footer: { text: 'f' } },
  { author: { name: 'a' } },
  { image: { url: 'https://a.example/b.png' } },
])('the embed %j is enough', async (shown) => {
  const discord = await aDiscord()
  expect(await aWebhook(discord.createWebhook()).send({ embeds: [shown] })).toMatchObject({ ok: true })
})

test('cutting to 6000 characters leaves no embed behind that shows nothing', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  const full = { description: text(4000) }
  const late = { color: 1, fields: [{ name: text(200), value: text(10) }] }
  const embeds = [full, { description: text(1900) }, late, { color: 2, description: text(50) }]
  expect(await aWebhook(url, { onLimit: 'truncate' }).send({ embeds })).toMatchObject({ ok: true })
  const [{ embeds: sent = [] } = {}] = discord.posted(url) as { embeds?: object[] }[]
  expect(sent).toEqual([full, { description: text(1900) }, { color: 2, description: text(50) }])
})

test('an emoji is one character: 2000 of them are taken, and 2001 are cut to that', async () => {
  const discord = await aDiscord()
  const url = discord.createWebhook()
  expect(await aWebhook(url).send('😀'.repeat(2000))).toMatchObject({ ok: true })
  expect(await aWebhook(url).send({ embeds: [{ title: '😀'.repeat(256) }] })).toMatchObject({ ok: true })
  expect((await aWebhook(url).send('😀'.repeat(2001))).error).toContain('content has 2001 characters')
  await aWebhook(url, { onLimit: 'truncate' }).send('😀'.repeat(2001))
  expect(discord.posted(url).at(-1)?.content).toBe(`${'😀'.repeat(1999)}…`)
  expect(buildEmbed({ title: '😀'.repeat(300), description: '', color: 0 }).title).toBe(
    `${'😀'.repeat(255)}…`,
  )
})

test('files have a number and a size', async () => {
  const discord = await aDiscord()
  const webhook = aWebhook(discord.createWebhook(), { maxFileBytes: 10 })
  const files = (count: number, bytes: number) => ({ files: list(count, { name: 'f', data: text(bytes) }) })
  expect(await webhook.send(files(10, 10))).toMatchObject({ ok: true })
  expect((await webhook.send(files(11, 10))).error).toContain('11 files')
  expect((await webhook.send(files(1, 11))).error).toContain('11 bytes')
})

test('S2.1: a built embed is within every limit, in whole seconds, with its fields in line', () => {
  const built = buildEmbed({
    title: text(300),
    description: text(5000),
    color: 0xff0000,
    fields: list(30, { name: text(300), value: 12_345 }),
    footer: text(3000),
    timestamp: new Date('2030-01-02T03:04:05.678Z'),
  })
  expect(built).toMatchObject({ color: 0xff0000, timestamp: '2030-01-02T03:04:05.000Z' })
  expect([built.title?.length, built.description?.length, built.footer?.text.length]).toEqual([
    256, 4096, 2048,
  ])
  expect(built.fields?.length).toBe(25)
  expect(built.fields?.[0]).toEqual({ name: `${text(255)}…`, value: '12345', inline: true })
})

test('a field of a built embed shows any value', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const values = [0, null, true, new URL('http://h/'), { id: 1 }, [{ id: 1 }, 2], cyclic]
  const { fields } = buildEmbed({
    title: 't',
    description: 'd',
    color: 1,
    fields: values.map((value) => ({ name: 'n', value })),
  })
  expect(fields?.map(({ value }) => value)).toEqual([
    '0',
    'null',
    'true',
    'http://h/',
    '{"id":1}',
    '[{"id":1},2]',
    '[object Object]',
  ])
})

test('S2.1: a built embed without fields and footer has neither', () => {
  expect(Object.keys(buildEmbed({ title: 't', description: 'd', color: 1 })).sort()).toEqual([
    'color',
    'description',
    'timestamp',
    'title',
  ])
})
