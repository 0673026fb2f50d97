// A receiver in Hono: one webhook that its sender signed, and one that somebody else signed.
// Run: npm install hono @hono/node-server && node examples/verify-with-hono.ts
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Webhook } from 'outhook/sender'
import { honoWebhook, webhookOf } from 'outhook/verify'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const say = (text: string) => process.stdout.write(`${text}\n`)

const app = new Hono()
app.post('/webhooks', honoWebhook({ secrets: secret }), (c) => {
  const webhook = webhookOf(c.req.raw)
  say(`received ${webhook.id}: ${webhook.text()}`)
  return c.body(null, 204)
})

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, async ({ port }) => {
  for (const signedWith of [secret, `whsec_${btoa('not the secret of the receiver')}`]) {
    const signing = { schemes: ['standard' as const], secret: signedWith }
    const webhook = new Webhook(`http://127.0.0.1:${port}/webhooks`, { signing, maxRetries: 0 })
    say(`answered ${(await webhook.send({ order: 'o_1' }, { id: 'evt_1' })).status}`)
    await webhook.close()
  }
  server.close()
})
