// A receiver in Express: one webhook that its sender signed, and one that somebody else signed.
// Run: npm install express && node examples/verify-with-express.ts
import express from 'express'
import { Webhook } from 'outhook/sender'
import { expressWebhook, webhookOf } from 'outhook/verify'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const say = (text: string) => process.stdout.write(`${text}\n`)

const app = express()
app.post('/webhooks', expressWebhook({ secrets: secret }), (request, response) => {
  const webhook = webhookOf(request)
  say(`received ${webhook.id}: ${webhook.text()}`)
  response.sendStatus(204)
})
// Other routes may parse their bodies: that is registered behind the webhooks.
app.use(express.json())

const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as { port: number }
  for (const signedWith of [secret, `whsec_${btoa('not the secret of the receiver')}`]) {
    const signing = { schemes: ['standard' as const], secret: signedWith }
    const webhook = new Webhook(`http://127.0.0.1:${port}/webhooks`, { signing, maxRetries: 0 })
    say(`answered ${(await webhook.send({ order: 'o_1' }, { id: 'evt_1' })).status}`)
    await webhook.close()
  }
  server.close()
})
