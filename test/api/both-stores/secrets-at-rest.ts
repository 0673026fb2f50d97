/** Row S1.35 of docs/compatibility.md: what a thief of the database does not learn. */
import { expect, test } from 'vitest'
import type { OpenServer } from '../hookrail-rows.ts'
import { anEndpointBody } from './scene.ts'

export interface ReadableStore {
  readonly open: OpenServer
  /** All that the store has written, as far as it can be read by somebody who has no master key. */
  content(): Promise<Buffer>
}

export function describeSecretsAtRest(newStore: () => ReadableStore): void {
  test('S1.35 no endpoint secret, no key, rotated or not, and no admin token stands in clear in the store', async () => {
    const { open, content } = newStore()
    const server = await open({ config: { allowNetworks: ['127.0.0.0/8'] } })
    const post = async (path: string, body: object) => (await server.call('POST', path, { body })).json
    const endpoint = await post('/v1/endpoints', anEndpointBody)
    const webhook = `https://127.0.0.1/api/webhooks/1/${'wH1-'.repeat(8)}end`
    await post('/v1/endpoints', { kind: 'discord', url: webhook })
    const { secret: rotated } = await post(`/v1/endpoints/${endpoint.id}/rotate-secret`, {})
    const key = await post('/v1/keys', { name: 'producer' })
    const { key: rotatedKey } = await post(`/v1/keys/${key.id}/rotate`, {})
    const admin = await post('/v1/keys', { name: 'admin', kind: 'admin' })
    const token = await post('/v1/admin-tokens', { role: 'admin', label: 'a' })
    const canary = 'the-payload-is-found-so-this-search-works'
    await post('/v1/events', { topic: 'orders.created', payload: { canary } })
    await server.close()

    const bytes = await content()
    const stands = (text: string) => formsOf(text).some((form) => bytes.includes(form))
    expect(stands(canary), 'the search').toBe(true)
    const secrets = {
      secret: endpoint.secret,
      rotated,
      key: key.key,
      rotatedKey,
      admin: admin.key,
      token: token.token,
    }
    expect(stands(webhook.split('/').at(-1) ?? ''), 'the token of a webhook').toBe(false)
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret, name).toEqual(expect.stringMatching(/^[a-z]+_.{16}/))
      expect(stands(secret), name).toBe(false)
      expect(stands(secret.replace(/^[a-z]+_/, '')), `${name} without its prefix`).toBe(false)
    }
  })
}

/** A text and the bytes that it may stand for, each as it is and as hexadecimal digits. */
function formsOf(text: string): readonly Buffer[] {
  const spelled = [Buffer.from(text), Buffer.from(text, 'base64'), Buffer.from(text, 'hex')]
  // What is no base64 or hexadecimal decodes to next to nothing, which is found anywhere.
  return spelled
    .filter(({ length }) => length >= 12)
    .flatMap((bytes) => [bytes, Buffer.from(bytes.toString('hex'))])
}
