/** Endpoints that are webhooks of Discord or Slack: what an event becomes, what their answers mean, and what they do not take. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalSlack, startLocalSlack } from '../../destinations/local-slack.ts'
import { type LocalDiscord, startLocalDiscord } from '../../discord/local-discord.ts'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const soon = { max_attempts: 3, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] }

export function describeMessageEndpoints(scene: SendingScene): void {
  let discord: LocalDiscord
  let slack: LocalSlack
  beforeAll(async () => {
    discord = await startLocalDiscord()
    slack = await startLocalSlack()
  })
  afterAll(async () => {
    await discord?.close()
    await slack?.close()
  })
  const create = (body: object) => scene.server.call('POST', '/v1/endpoints', { body })
  const shownEndpoint = async (id: string) => (await scene.server.call('GET', `/v1/endpoints/${id}`)).json
  /** Sent, and recorded as such. */
  const delivered = async (url: string, settings: object, payload?: string) => {
    const sent = await scene.deliver(url, settings, payload)
    await scene.attempted(sent.id)
    expect(await scene.shown(sent.id)).toMatchObject({ state: 'succeeded', attempt_count: 1 })
    return sent
  }

  test('an event becomes a message of a discord endpoint by its template, and pings nobody', async () => {
    const url = discord.createWebhook()
    const template =
      '{{topic}}: order {{payload.order.id}} of {{payload["full name"]}}, {{payload.tags[1]}}, {{payload.gone}}{{payload.note|, no note}}'
    const { topic } = await delivered(
      url,
      { kind: 'discord', settings: { template, username: 'shop' } },
      '{"order":{"id":12345678901234567890},"full name":"@everyone <@1>","tags":["a",{"b":1.0}],"note":null}',
    )
    expect(discord.posted(url)).toEqual([
      {
        content: `${topic}: order 12345678901234567890 of @everyone <@1>, {"b":1.0}, {{payload.gone}}, no note`,
        username: 'shop',
        allowed_mentions: { parse: [] },
      },
    ])
  })

  test('without settings a discord endpoint shows topic, payload and id', async () => {
    const url = discord.createWebhook()
    const { topic, eventId } = await delivered(url, { kind: 'discord' }, '{"id": 1}')
    const description = '```json\n{"id": 1}\n```'
    expect(discord.posted(url)).toMatchObject([
      { embeds: [{ title: topic, description, footer: { text: eventId } }] },
    ])
  })

  test.each([
    ['content', { template: '{{payload.text}} of {{topic}}' }, 2000],
    [
      'embeds',
      { title: '{{payload.text}}', description: '{{payload.text}}', footer: '{{payload.text}}' },
      256,
    ],
  ])('what is too long for Discord is cut where it stands: %s', async (member, settings, most) => {
    const url = discord.createWebhook()
    const payload = JSON.stringify({ text: '😀'.repeat(9000) })
    const { topic } = await delivered(url, { kind: 'discord', settings }, payload)
    const message = discord.posted(url)[0]?.[member] as string | [{ title: string }]
    const text = typeof message === 'string' ? message : message[0].title
    expect([...text]).toHaveLength(most)
    expect(text.endsWith(typeof message === 'string' ? `😀… of ${topic}` : '😀…')).toBe(true)
  })

  test('what has nothing to show is sent as such, by both', async () => {
    const settings = { template: '{{payload.text}}' }
    const urls = { discord: discord.createWebhook(), slack: slack.createWebhook() }
    for (const kind of ['discord', 'slack'] as const) {
      await delivered(urls[kind], { kind, settings }, '{"text":" "}')
    }
    expect(discord.posted(urls.discord)).toMatchObject([{ content: '(nothing to show)' }])
    expect(slack.posted(urls.slack)).toEqual([{ text: '(nothing to show)' }])
  })

  test('a 429 of Discord is kept to, as its body says, and uses up one attempt', async () => {
    const url = discord.createWebhook()
    discord.script({ status: 429, body: JSON.stringify({ retry_after: 0.05, global: false }) })
    const { id } = await scene.deliver(url, { kind: 'discord', retry_policy: soon })
    const [first] = await scene.attempted(id, 2)
    expect(first).toMatchObject({ errorClass: 'http_429', state: 'retry_scheduled' })
    expect(first?.nextAttemptInMs).toBeGreaterThanOrEqual(50)
    expect(discord.posted(url)).toHaveLength(1)
  })

  test('more events than Discord takes at once all arrive, each once, without a 429', async () => {
    const url = discord.createWebhook()
    const before = discord.total429
    const topic = aName('many')
    const body = {
      kind: 'discord',
      url,
      topics: [topic],
      settings: { template: '{{payload}}' },
      rate_limit_rps: null,
    }
    expect((await create(body)).status).toBe(201)
    const events = Array.from({ length: 7 }, (_, payload) => ({ topic, payload }))
    await scene.server.call('POST', '/v1/events/batch', { body: { events } })
    await expect.poll(() => discord.posted(url).length, { timeout: patienceMs }).toBe(7)
    const shown = discord.posted(url).map(({ content }) => content)
    expect(shown.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(discord.total429).toBe(before)
  })

  test('a Discord webhook that is no more is refused for good, and disables its endpoint as gone', async () => {
    const url = discord.createWebhook()
    discord.deleteWebhook(url)
    const { id, endpoint } = await scene.deliver(url, { kind: 'discord', retry_policy: 'hookrail' })
    await scene.attempted(id)
    expect(await scene.shown(id)).toMatchObject({
      state: 'dead_lettered',
      error_class: 'http_404',
      attempt_count: 1,
    })
    expect(await shownEndpoint(endpoint.id)).toMatchObject({ enabled: false, disabled_reason: 'gone' })
  })

  test('an event becomes a message of a slack endpoint, in which a payload mentions and links nothing', async () => {
    const url = slack.createWebhook()
    const settings = { template: '<https://shop.example|Shop> {{topic}}: {{payload.text}}' }
    const { topic } = await delivered(url, { kind: 'slack', settings }, '{"text":"<!channel> & <@U1>"}')
    const said = '&lt;!channel&gt; &amp; &lt;@U1&gt;'
    expect(slack.posted(url)).toEqual([{ text: `<https://shop.example|Shop> ${topic}: ${said}` }])
  })

  test('without settings a slack endpoint shows topic, payload and id', async () => {
    const url = slack.createWebhook()
    const { topic, eventId } = await delivered(url, { kind: 'slack' }, '{"id":1}')
    expect(slack.posted(url)).toEqual([{ text: `*${topic}*\n\`\`\`{"id":1}\`\`\`\n_${eventId}_` }])
  })

  test.each([
    ['invalid_payload', { status: 400, body: 'invalid_payload' }, 'http_400', true],
    ['no ok', { status: 200, body: '<html>welcome</html>' }, 'http_200', true],
    ['action_prohibited', { status: 403, body: 'action_prohibited' }, 'http_403', true],
    ['channel_is_archived', { status: 410, body: 'channel_is_archived' }, 'http_410', false],
    ['no_service', { status: 404, body: 'no_service' }, 'http_404', false],
  ])(
    'Slack’s %s is refused for good, and what is gone disables the endpoint',
    async (_name, answer, errorClass, enabled) => {
      const url = slack.createWebhook()
      slack.script(url, answer)
      const { id, endpoint } = await scene.deliver(url, { kind: 'slack', retry_policy: 'hookrail' })
      await scene.attempted(id)
      const delivery = await scene.shown(id)
      expect(delivery).toMatchObject({ state: 'dead_lettered', error_class: errorClass, attempt_count: 1 })
      expect(delivery.last_error).toContain(answer.body)
      expect(await shownEndpoint(endpoint.id)).toMatchObject({ enabled })
    },
  )

  test('Slack’s 429 and 500 are tried again, the first when it says', async () => {
    const url = slack.createWebhook()
    slack.script(
      url,
      { status: 500, body: 'rollup_error' },
      { status: 429, body: 'rate_limited', headers: { 'retry-after': '0.05' } },
    )
    const { id } = await scene.deliver(url, { kind: 'slack', retry_policy: soon, rate_limit_rps: null })
    const attempts = await scene.attempted(id, 3)
    expect(attempts.map(({ errorClass }) => errorClass)).toEqual(['http_500', 'http_429', null])
    expect(attempts[1]?.nextAttemptInMs).toBeGreaterThanOrEqual(50)
  })

  test('an answer that cannot be reached is retried as for HTTP', async () => {
    const gone = await startLocalSlack()
    const url = gone.createWebhook()
    await gone.close()
    const { id } = await scene.deliver(url, { kind: 'slack', retry_policy: 'hookrail' })
    expect((await scene.attempted(id))[0]).toMatchObject({
      errorClass: 'connection',
      state: 'retry_scheduled',
    })
  })

  test.each(['discord', 'slack'] as const)(
    'the URL of a %s endpoint is shown to nobody, and its secret stands nowhere',
    async (kind) => {
      const url = kind === 'discord' ? discord.createWebhook() : slack.createWebhook()
      const token = url.split('/').at(-1) ?? ''
      const body = { kind, url, uid: aName(kind), topics: [aName('never')] }
      const made = await create(body)
      expect(made.json).toMatchObject({
        kind,
        secret: '',
        public_key: null,
        max_in_flight: 1,
        signing_schemes: ['none'],
      })
      const { id } = made.json
      const list = await scene.server.call('GET', `/v1/endpoints?uid=${body.uid}`)
      const get = await scene.server.call('GET', `/v1/endpoints/${id}`)
      for (const { text } of [made, list, get]) expect(text).not.toContain(token)
      const { host } = new URL(url)
      expect(get.json.url).toContain(host)
      expect(get.json.url.endsWith('/***')).toBe(true)
      const change = await scene.server.call('PATCH', `/v1/endpoints/${id}`, { body: { url: get.json.url } })
      expectProblem(change, { status: 422, code: 'unprocessable', detail: /url/ })
      const tested = await scene.server.call('POST', `/v1/endpoints/${id}/test`, { body: {} })
      expect(tested.json).toMatchObject({ succeeded: true })
      expect(tested.text).not.toContain(token)
    },
  )

  test.each([
    ['headers', { headers: { 'x-a': 'b' } }, /a Discord webhook takes no headers/],
    ['a method', { method: 'PUT' }, /takes no method/],
    ['a content type', { content_type: 'text/plain' }, /takes no content_type/],
    ['schemes', { signing_schemes: ['standard'] }, /takes no signing_schemes/],
    ['a secret', { secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}` }, /takes no secret/],
    ['a kind of key', { key_type: 'ed25519' }, /takes no key_type/],
    ['a credential', { credential_id: 'crd_00000000000000000000000000' }, /takes no credential_id/],
    ['another kind’s URL', { url: 'https://127.0.0.1/hooks/x' }, /no Discord webhook/],
    ['an unknown setting', { settings: { text: 'x' } }, /settings has no member "text"; there are template/],
    ['nothing to show', { settings: { color: 1 } }, /settings say nothing to show/],
    [
      'an open placeholder',
      { settings: { template: 'a {{topic' } },
      /settings.template has \{\{ without \}\}/,
    ],
    [
      'an unknown placeholder',
      { settings: { template: '{{env.HOME}}' } },
      /cannot be read, \{\{env.HOME\}\}/,
    ],
    ['code', { settings: { template: '{{payload.a()}}' } }, /cannot be read/],
    ['too many', { settings: { template: '{{id}}'.repeat(33) } }, /33 placeholders, and 32 are allowed/],
    ['a refused name', { settings: { template: 'a', username: 'clyde' } }, /settings\.username must not/],
    [
      'a name that is too long',
      { settings: { template: 'a', username: 'x'.repeat(81) } },
      /settings\.username has 81 characters and Discord takes 80; shorten it$/,
    ],
    ['a thread', { settings: { template: 'a', thread: 'x' } }, /settings.thread must be the id/],
    ['a colour', { settings: { template: 'a', color: -1 } }, /settings.color must be/],
  ])('a discord endpoint does not take %s', async (_what, given, detail) => {
    const url = discord.createWebhook()
    const refused = await create({ kind: 'discord', url, ...given })
    expectProblem(refused, { status: 422, code: 'unprocessable', detail })
    expect(refused.text).not.toContain(url.split('/').at(-1))
  })

  test('the kind of an endpoint never changes, and what is another kind’s is refused', async () => {
    const uid = aName('kinds')
    const body = { kind: 'slack', url: slack.createWebhook(), uid }
    const { id } = (await create(body)).json
    const path = `/v1/endpoints/${id}`
    const changed = await scene.server.call('PATCH', path, { body: { kind: 'http' } })
    expectProblem(changed, {
      status: 409,
      code: 'conflict',
      detail: /kind never changes, and .* "slack"/,
    })
    expectProblem(await create({ ...body, kind: 'discord' }), {
      status: 409,
      code: 'conflict',
      detail: /never changes/,
    })
    const same = await create({ ...body, settings: { template: '{{id}}' } })
    expect([same.status, same.json.settings]).toEqual([200, { template: '{{id}}' }])
    expect((await scene.server.call('PATCH', path, { body: { settings: null } })).json.settings).toBeNull()
    const subscription = { endpoint_id: id, topic_patterns: ['a'] }
    const given = { ...subscription, headers: { 'x-a': 'b' } }
    const subscribed = await scene.server.call('POST', '/v1/subscriptions', { body: given })
    expectProblem(subscribed, { status: 422, code: 'unprocessable', detail: /Slack takes no headers/ })
    const made = (await scene.server.call('POST', '/v1/subscriptions', { body: subscription })).json
    const headed = await scene.server.call('PATCH', `/v1/subscriptions/${made.id}`, {
      body: { headers: given.headers },
    })
    expectProblem(headed, { status: 422, code: 'unprocessable', detail: /Slack takes no headers/ })
    const rotated = await scene.server.call('POST', `${path}/rotate-secret`, { body: {} })
    expectProblem(rotated, { status: 409, code: 'conflict', detail: /has no secrets/ })
    const send = { body: { endpoint_id: id, payload: 1 } }
    const sent = await scene.server.call('POST', '/v1/deliveries', send)
    expectProblem(sent, { status: 422, code: 'unprocessable', detail: /gets events alone/ })
    const plain = await create({ url: 'https://127.0.0.1/hook', settings: { template: 'a' } })
    expectProblem(plain, { status: 422, code: 'unprocessable', detail: /an HTTP endpoint takes no settings/ })
    const other = await create({ url: 'https://127.0.0.1/hook' })
    expect(other.json).toMatchObject({ kind: 'http', settings: null })
  })
}
