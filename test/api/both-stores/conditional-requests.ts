/** `ETag`, `If-None-Match` and `If-Match` on every object that can be configured. */
import { describe, expect, test } from 'vitest'
import { routeAccess } from '../../../src/api/route-access.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, kinds, type OpenScene } from './scene.ts'

const conflict = { status: 412, title: 'changed meanwhile', detail: 'somebody has changed it meanwhile' }

export function describeConditionalRequests(open: OpenScene): void {
  describe.each(kinds)('conditional requests for a $kind', ({ collection, make, changes, deleted }) => {
    const tagOf = async (path: string): Promise<string> =>
      (await open().one.call('GET', path)).headers.get('etag') as string

    test('its ETag is the same for whoever looks again, on each node, and holds the version', async () => {
      const { one, two } = open()
      const { id, version } = await make(one)
      const path = `${collection}/${id}`
      const tag = await tagOf(path)
      expect(tag).toMatch(/^"[\w-]+\.[\w-]+"$/)
      expect(tag.startsWith(`"${version}.`)).toBe(true)
      expect((await two.call('GET', path)).headers.get('etag')).toBe(tag)
      expect((await two.call('HEAD', path)).headers.get('etag')).toBe(tag)
    })

    test('If-None-Match with its ETag, weak or in a list or as *, is a 304 without a body', async () => {
      const { one, two } = open()
      const path = `${collection}/${(await make(one)).id}`
      const tag = await tagOf(path)
      for (const value of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
        const answer = await two.call('GET', path, { headers: { 'if-none-match': value } })
        expect([value, answer.status, answer.text, answer.headers.get('etag')]).toEqual([value, 304, '', tag])
      }
      for (const value of ['"other"', 'W/"other"']) {
        expect((await two.call('GET', path, { headers: { 'if-none-match': value } })).status).toBe(200)
      }
    })

    test('a DELETE is refused while the tag is another one or weak, and then done', async () => {
      const { one, two } = open()
      const path = `${collection}/${(await make(one)).id}`
      const tag = await tagOf(path)
      for (const value of ['"other"', `W/${tag}`]) {
        expectProblem(await two.call('DELETE', path, { headers: { 'if-match': value } }), conflict)
        expect(await tagOf(path)).toBe(tag)
      }
      expect((await two.call('DELETE', path, { headers: { 'if-match': tag } })).status).toBe(deleted)
    })

    test('a header that is no list of tags is a 400, and nothing is done', async () => {
      const { one } = open()
      const path = `${collection}/${(await make(one)).id}`
      const tag = await tagOf(path)
      for (const value of ['other', '"open', '* , "a"', tag.replaceAll('"', ''), '""x', 'w/"a"']) {
        const asked = await one.call('GET', path, { headers: { 'if-none-match': value } })
        expectProblem(asked, { status: 400, detail: 'If-None-Match is not a list of tags' })
        const change = await one.call('DELETE', path, { headers: { 'if-match': value } })
        expectProblem(change, { status: 400, detail: 'If-Match is not a list of tags' })
      }
      expect(await tagOf(path)).toBe(tag)
    })

    if (changes === null) return
    const [first, second] = changes

    test('a PATCH with the tag is made once: who comes with the old one afterwards gets a 412', async () => {
      const { one, two } = open()
      const made = await make(one)
      const path = `${collection}/${made.id}`
      const tag = await tagOf(path)
      const patched = await one.call('PATCH', path, { body: first, headers: { 'if-match': `"x", ${tag}` } })
      expect([patched.status, patched.json]).toEqual([200, expect.objectContaining(first)])
      expect(patched.json.version).not.toBe(made.version)
      expectProblem(await two.call('PATCH', path, { body: second, headers: { 'if-match': tag } }), conflict)
      expect((await two.call('GET', path)).json).toMatchObject(first)
      const next = patched.headers.get('etag') as string
      expect(next).toBe(await tagOf(path))
      expect((await two.call('PATCH', path, { body: second, headers: { 'if-match': next } })).status).toBe(
        200,
      )
      for (const headers of [{ 'if-match': '*' }, {}]) {
        expect((await two.call('PATCH', path, { body: first, headers })).status).toBe(200)
      }
    })

    test('of eight PATCHes at once with the same tag exactly one is made', async () => {
      const { one, two } = open()
      const path = `${collection}/${(await make(one)).id}`
      const headers = { 'if-match': await tagOf(path) }
      const answers = await Promise.all(
        [one, two, one, two, one, two, one, two].map((server, at) =>
          server.call('PATCH', path, { body: changes[at % 2], headers }),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, 412, 412, 412, 412, 412, 412, 412])
    })
  })

  test('every route that changes or deletes what can be configured takes If-Match', () => {
    const changing = Object.keys(routeAccess)
      .filter((route) => /^(PATCH|PUT|DELETE) /.test(route))
      // What happened is no configuration, nor is who is signed in, and a link to the portal never changes.
      .filter((route) => !route.includes('/v1/events/') && !route.includes(' /v1/sign-in'))
      .filter((route) => !route.includes('/portal-links'))
      // An event type is known by its name.
      .map((route) => route.replace(':name', ':id'))
    const paths = kinds.flatMap(({ collection, changes }) => [
      ...(changes === null ? [] : [`PATCH ${collection}/:id`]),
      `DELETE ${collection}/:id`,
    ])
    expect(changing.sort()).toEqual(paths.sort())
  })

  test('an unknown id is a 404 whatever the tag', async () => {
    const { one } = open()
    const path = '/v1/endpoints/ep_01h455vb4pex5vsknk084sn02q'
    for (const value of ['"x"', '*']) {
      const headers = { 'if-match': value }
      expect((await one.call('PATCH', path, { body: {}, headers })).status).toBe(404)
      expect((await one.call('DELETE', path, { headers })).status).toBe(404)
    }
  })

  test('the tag of a new endpoint is the one of a GET, and changes with its own subscription, a pause and a disabling', async () => {
    const { one } = open()
    const body = { url: 'https://127.0.0.1/hook', topics: ['a'], uid: aName('uid') }
    const created = await one.call('POST', '/v1/endpoints', { body })
    const path = `/v1/endpoints/${created.json.id}`
    const tags = [created.headers.get('etag')]
    const look = async (): Promise<void> => void tags.push((await one.call('GET', path)).headers.get('etag'))
    await look()
    expect(tags[1]).toBe(tags[0])
    const query = `endpoint_id=${created.json.id}`
    const own = (await one.call('GET', `/v1/subscriptions?${query}`)).json.items[0]
    await one.call('PATCH', `/v1/subscriptions/${own.id}`, { body: { topic_patterns: ['b'] } })
    await look()
    await one.call('POST', `${path}/pause`)
    await look()
    await one.call('POST', `${path}/resume`)
    await look()
    await one.call('PATCH', path, { body: { enabled: false } })
    await look()
    await one.call('POST', '/v1/endpoints', { body: { ...body, description: 'upserted' } })
    await look()
    expect(new Set(tags.map((tag) => tag?.split('.')[0])).size).toBe(6)
    const headers = { 'if-match': tags[0] as string }
    expectProblem(await one.call('PATCH', path, { body: { topics: ['c'] }, headers }), conflict)
  })

  test('the use of a key changes its state and not its version, so that nobody’s change is refused for it', async () => {
    const { one } = open()
    const { id, key, version } = (await one.call('POST', '/v1/keys', { body: { name: 'shop' } })).json
    const path = `/v1/keys/${id}`
    const tag = (await one.call('GET', path)).headers.get('etag') as string
    await one.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 }, token: key })
    const used = async () => (await one.call('GET', path)).json
    while ((await used()).last_used_at === null) await one.engine.ping()
    expect((await used()).version).toBe(version)
    expect((await one.call('GET', path, { headers: { 'if-none-match': tag } })).status).toBe(200)
    const headers = { 'if-match': tag }
    expect((await one.call('PATCH', path, { body: { name: 'one' }, headers })).status).toBe(200)
  })
}
