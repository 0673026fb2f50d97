/**
 * The secret, the credential and the master key are rotated, one after the other, while two nodes deliver ten thousand
 * requests, and one node is killed amid it.
 */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, isDrained, until } from './api-calls.ts'
import { aNode, masterKey } from './cluster-node.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let database: PostgresServer
beforeAll(async () => {
  database = await newest.start()
})
afterAll(() => database?.stop())

const events = 5000
const batch = 100
/** Until the other node knows of a new secret or credential, and what was sent before has arrived. */
const settleMs = 10_000
const newKey = 'cd'.repeat(32)

type Check = (headers: Readonly<Record<string, string>>, body: Buffer) => boolean

/**
 * Answers 401 to what its endpoint's check refuses, and to what does not carry one of the tokens that it takes now.
 */
async function aJudge(checks: Readonly<Record<string, Check>>) {
  const seen = { accepted: 0, refused: 0, unauthenticated: 0, otherToken: 0 }
  const byToken: Record<string, number> = {}
  const tokens: string[] = []
  const isAuthenticated = ({ authorization }: IncomingHttpHeaders): boolean => {
    if (authorization === undefined) seen.unauthenticated += 1
    else if (!tokens.includes(authorization)) seen.otherToken += 1
    else byToken[authorization] = (byToken[authorization] ?? 0) + 1
    return tokens.includes(authorization ?? '')
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const isSigned = checks[request.url ?? '']?.(
        request.headers as Record<string, string>,
        Buffer.concat(parts),
      )
      if (isSigned !== true) seen.refused += 1
      const accepts = isAuthenticated(request.headers) && isSigned === true
      if (accepts) seen.accepted += 1
      response.writeHead(accepts ? 204 : 401).end()
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return { seen, tokens, byToken, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('10 000 deliveries while the secret, then the credential, then the master key are rotated and a node is killed: no receiver of the grace period refuses one, and none goes without its credential', {
  timeout: 500_000,
}, async () => {
  const store = `${database.url}?schema=outhook_rotation_${process.pid}`
  const both = { OUTHOOK_MASTER_KEY: newKey, OUTHOOK_MASTER_KEY_OLD: masterKey }
  const [one, two] = [aNode('one', { store, env: both }), aNode('two', { store, env: both })]
  // Made with the old key; then each node is started with both.
  const first = aNode('first', { store })
  await first.start()
  const secrets: Record<string, string[]> = { '/standard': [], '/several': [] }
  let turn = 0
  const judge = await aJudge({
    // It holds one secret at a time, and changes over at any moment from `settleMs` on.
    '/standard'(headers, body) {
      const held = secrets['/standard'] ?? []
      const secret = held[turn++ % held.length] ?? ''
      try {
        new Webhook(secret).verify(body, headers)
        return true
      } catch {
        return false
      }
    },
    // It holds both.
    '/several'(headers, body) {
      return (secrets['/several'] ?? []).some((secret) => {
        const digest = createHmac('sha256', secret).update(body).digest('hex')
        const [time, last] = [/^t=(\d+)/, /v1=(\w+)$/].map(
          (part) => part.exec(headers['hookrail-signature'] ?? '')?.[1],
        )
        const message = Buffer.concat([Buffer.from(`${time}.${headers['hookrail-delivery-id']}.`), body])
        const isLast = createHmac('sha256', secret).update(message).digest('hex') === last
        return headers['x-hub-signature-256'] === `sha256=${digest}` && isLast
      })
    },
  })
  const bearer = (turn: number) => `the-token-of-turn-${turn}`
  const credential = await ask(first.url, '/v1/credentials', {
    body: { name: 'theirs', kind: 'bearer', token: bearer(0) },
  })
  judge.tokens.push(`Bearer ${bearer(0)}`)
  const ids: Record<string, string> = {}
  for (const [path, signing_schemes] of [
    ['/standard', ['standard']],
    ['/several', ['hookrail', 'github']],
  ] as const) {
    const body = {
      url: judge.url + path,
      topics: ['*'],
      signing_schemes,
      max_in_flight: 64,
      credential_id: credential.id,
    }
    const made = await ask(first.url, '/v1/endpoints', { body })
    ids[path] = made.id
    secrets[path] = [made.secret]
  }
  expect((await first.drain()).code).toBe(0)
  await Promise.all([one.start(), two.start()])

  const publish = async (count: number) => {
    for (let done = 0; done < count; done += batch) {
      const list = Array.from({ length: batch }, (_, index) => ({ topic: 'a', payload: { n: done + index } }))
      await ask(done % (2 * batch) === 0 ? one.url : two.url, '/v1/events/batch', { body: { events: list } })
    }
  }
  const rotate = async (path: string, waitMs: number) => {
    const { secret } = await ask(one.url, `/v1/endpoints/${ids[path]}/rotate-secret`, {
      body: { grace: '1h' },
    })
    await setTimeout(waitMs)
    secrets[path]?.unshift(secret)
  }
  const part = events / 5
  await publish(part)
  // A receiver that holds both has the new one before the owner lets it sign alone; here it has it at once.
  await Promise.all([publish(part), rotate('/standard', settleMs), rotate('/several', 0)])
  const [newer] = (await ask(one.url, `/v1/endpoints/${ids['/several']}/secrets`)).items
  // A bearer token has no grace of its own: the receiver takes both until what carried the old one has arrived.
  const rotateCredential = async (turn: number) => {
    judge.tokens.push(`Bearer ${bearer(turn)}`)
    await ask(one.url, `/v1/credentials/${credential.id}`, { method: 'PATCH', body: { token: bearer(turn) } })
    await setTimeout(settleMs)
    judge.tokens.splice(0, 1)
  }
  await Promise.all([
    publish(part),
    rotateCredential(1),
    ask(one.url, `/v1/endpoints/${ids['/several']}/secrets/${newer.id}/primary`, { method: 'POST' }),
  ])
  const state = await ask(one.url, '/v1/master-key/rotate', { method: 'POST' })
  expect(state.replacing).not.toBeNull()
  await publish(part)
  await two.kill()
  await two.start()
  await publish(part)
  await until('the exchange is over', async () => (await ask(one.url, '/v1/master-key')).replacing === null)
  await until('all is delivered', () => isDrained(one.url))
  expect(await ask(two.url, '/v1/master-key')).toMatchObject({ fingerprint: state.fingerprint, remaining: 0 })
  const { seen, byToken } = judge
  process.stdout.write(`rotation under load: ${JSON.stringify({ ...seen, byToken })}\n`)
  expect([seen.refused, seen.unauthenticated, seen.otherToken]).toEqual([0, 0, 0])
  expect(Object.keys(byToken)).toEqual([0, 1].map((turn) => `Bearer ${bearer(turn)}`))
  // What was in flight at the kill may come twice.
  expect(seen.accepted).toBeGreaterThanOrEqual(2 * events)
  for (const node of [one, two]) await node.drain()
  const after = aNode('after', { store, env: { OUTHOOK_MASTER_KEY: newKey } })
  await after.start()
  expect((await ask(after.url, `/v1/endpoints/${ids['/standard']}/secrets`)).items).toHaveLength(2)
})
