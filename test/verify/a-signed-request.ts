/** Requests as their senders sign them, by Node's own crypto: nothing of the code that is tested. */
import { createHmac } from 'node:crypto'
import { signRequest } from '../../src/core/signing.ts'
import { prepareSecret } from '../../src/core/signing-secrets.ts'
import type { SchemeName } from '../../src/verify/index.ts'

/** Of the specification's vector. */
export const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const otherSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
export const pair =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
export const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
export const signedAt = 1614265330

export interface Signed {
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** By every secret, as while one is being exchanged. */
export function signed(
  scheme: SchemeName,
  secrets: readonly string[],
  text = '{"test": 2432232314}',
  timestampSeconds = signedAt,
): Signed {
  const body = Buffer.from(text)
  const hex = (message: Uint8Array, key = secrets[0] ?? '') =>
    createHmac('sha256', key).update(message).digest('hex')
  switch (scheme) {
    case 'standard':
    case 'hookrail': {
      const input = { eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek', deliveryId: 'dlv_1', topic: 'orders.created' }
      const active = secrets.map(prepareSecret)
      return {
        headers: signRequest([scheme], {
          ...input,
          timestampSeconds,
          body,
          secrets: { active, primary: active.at(-1) },
        }).headers,
        body,
      }
    }
    case 'stripe': {
      const message = Buffer.from(`${timestampSeconds}.${text}`)
      const all = secrets.map((key) => `v1=${hex(message, key)}`)
      return { headers: { 'stripe-signature': [`t=${timestampSeconds}`, ...all, 'v0=00'].join(',') }, body }
    }
    case 'github':
      return { headers: { 'x-hub-signature-256': `sha256=${hex(body)}` }, body }
    case 'shopify': {
      const digest = createHmac('sha256', secrets[0] ?? '')
        .update(body)
        .digest('base64')
      return { headers: { 'x-shopify-hmac-sha256': digest }, body }
    }
    case 'slack': {
      const headers = { 'x-slack-request-timestamp': String(timestampSeconds) }
      const digest = hex(Buffer.from(`v0:${timestampSeconds}:${text}`))
      return { headers: { ...headers, 'x-slack-signature': `v0=${digest}` }, body }
    }
    case 'pyfly':
      return { headers: { 'x-pyfly-signature': `sha256=${hex(body)}` }, body }
  }
}
