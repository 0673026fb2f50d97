/** Both ways between the packages that receivers use and ours: the same requests verify, the same ones do not. */
import fc from 'fast-check'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { expect, test } from 'vitest'
import { createVerifier, VerificationError } from '../../src/verify/index.ts'
import { otherSecret, secret, signed } from './a-signed-request.ts'

const libraries = { standardwebhooks: StandardWebhook, svix: SvixWebhook }
const nowSeconds = () => Math.floor(Date.now() / 1000)

function anyRequest() {
  return fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
    // What is no JSON makes those packages throw something else.
    body: fc.json(),
    key: fc.uint8Array({ minLength: 24, maxLength: 64 }),
  })
}

test.each(['standardwebhooks', 'svix'] as const)('what %s signs verifies here', async (name) => {
  await fc.assert(
    fc.asyncProperty(anyRequest(), async ({ id, body, key }) => {
      const text = `whsec_${Buffer.from(key).toString('base64')}`
      const at = new Date()
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new libraries[name](text).sign(id, at, body),
      }
      const webhook = await createVerifier({ secrets: text }).verify({ headers, body })
      expect(webhook).toMatchObject({ id, scheme: 'standard' })
    }),
  )
})

test.each(['standardwebhooks', 'svix'] as const)(
  '%s and this package agree on changed requests',
  async (name) => {
    const library = new libraries[name](secret)
    const verifier = createVerifier({ secrets: secret })
    const good = signed('standard', [otherSecret, secret], '{"a":1}', nowSeconds())
    const own = (changes: Record<string, string>, body: string) =>
      verifier.verify({ headers: { ...good.headers, ...changes }, body }).then(
        () => true,
        (error) => {
          expect(error).toBeInstanceOf(VerificationError)
          return false
        },
      )
    const theirs = (changes: Record<string, string>, body: string): boolean => {
      try {
        library.verify(body, { ...good.headers, ...changes })
        return true
      } catch {
        return false
      }
    }
    const [first = '', last = ''] = (good.headers['webhook-signature'] ?? '').split(' ')
    const at = nowSeconds()
    const table: readonly (readonly [changes: Record<string, string>, body: string, verifies: boolean])[] = [
      [{}, '{"a":1}', true],
      [{}, '{"a": 1}', false],
      [{}, '{"a":1}\n', false],
      [{}, '', false],
      [{ 'webhook-id': 'msg_other' }, '{"a":1}', false],
      [{ 'webhook-id': '' }, '{"a":1}', false],
      [{ 'webhook-timestamp': '' }, '{"a":1}', false],
      [{ 'webhook-timestamp': 'soon' }, '{"a":1}', false],
      [{ 'webhook-timestamp': String(at + 1) }, '{"a":1}', false],
      [{ 'webhook-timestamp': String(at - 400) }, '{"a":1}', false],
      [{ 'webhook-timestamp': String(at + 400) }, '{"a":1}', false],
      [{ 'webhook-signature': '' }, '{"a":1}', false],
      [{ 'webhook-signature': first }, '{"a":1}', false],
      [{ 'webhook-signature': last }, '{"a":1}', true],
      [{ 'webhook-signature': `v2,AAAA v1 x ${last}` }, '{"a":1}', true],
      [{ 'webhook-signature': last.replace('v1,', 'v2,') }, '{"a":1}', false],
      [{ 'webhook-signature': last.slice(0, -1) }, '{"a":1}', false],
      [{ 'webhook-signature': `${last}=` }, '{"a":1}', false],
      [{ 'webhook-signature': last.toLowerCase() }, '{"a":1}', false],
    ]
    for (const [changes, body, verifies] of table) {
      expect([await own(changes, body), theirs(changes, body)], JSON.stringify({ changes, body })).toEqual([
        verifies,
        verifies,
      ])
    }
  },
)

test.each(['standardwebhooks', 'svix'] as const)(
  '%s verifies what Outhook signs, while a secret is exchanged too',
  (name) => {
    const { headers, body } = signed('standard', [otherSecret, secret], '{"name":"José 😀"}', nowSeconds())
    for (const one of [secret, otherSecret]) {
      const library = new libraries[name](one)
      const text = Buffer.from(body).toString()
      expect(() => library.verify(text, headers)).not.toThrow()
      expect(() => library.verify(`${text} `, headers)).toThrow()
    }
  },
)
