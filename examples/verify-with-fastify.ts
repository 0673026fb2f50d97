// A receiver in Fastify: one webhook that its sender signed, and one that somebody else signed.
// Run: npm install fastify && node examples/verify-with-fastify.ts
import fastify from 'fastify'
import { Webhook } from 'outhook/sender'
import { fastifyWebhook, webhookOf } from 'outhook/verify'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const say = (text: string) => process.stdout.write(`${text}\n`)

const app = fastify()
// Webhooks have a scope of their own, because bodies are left unparsed there.
app.register(async (webhooks) => {
  webhooks.register(fastifyWebhook({ secrets: secret }))
  webhooks.post('/webhooks', async (request, reply) => {
    const webhook = webhookOf(request)
    say(`received ${webhook.id}: ${webhook.text()}`)
    return reply.code(204).send()
  })
})
app.post('/orders', async (request) => request.body)

const address = await app.listen({ port: 0, host: '127.0.0.1' })
for (const signedWith of [secret, `whsec_${btoa('not the secret of the receiver')}`]) {
  const signing = { schemes: ['standard' as const], secret: signedWith }
  const webhook = new Webhook(`${address}/webhooks`, { signing, maxRetries: 0 })
  say(`answered ${(await webhook.send({ order: 'o_1' }, { id: 'evt_1' })).status}`)
  await webhook.close()
}
await app.close()
