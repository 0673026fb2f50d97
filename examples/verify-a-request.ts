// A receiver without a framework: a function from Request to Response, as Workers, Deno.serve, Bun.serve and Next.js
// route handlers take it; and one of node:http. Run: node examples/verify-a-request.ts
import { createServer } from 'node:http'
import { Webhook } from 'outhook/sender'
import { createVerifier, VerificationError, verifyNodeRequest, webhookHandler } from 'outhook/verify'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const say = (text: string) => process.stdout.write(`${text}\n`)

const handle = webhookHandler({ secrets: secret }, (webhook) => {
  say(`received ${webhook.id}: ${webhook.text()}`)
  return new Response(null, { status: 204 })
})
const forged = new Request('https://shop.example/webhooks', {
  method: 'POST',
  headers: { 'webhook-id': 'evt_1', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,AAAA' },
  body: '{}',
})
const answer = await handle(forged)
say(`answered ${answer.status} ${await answer.text()}`)

const verifier = createVerifier({ secrets: secret })
const server = createServer(async (request, response) => {
  try {
    const webhook = await verifyNodeRequest(request, verifier)
    say(`received ${webhook.id}: ${webhook.text()}`)
    response.writeHead(204).end()
  } catch (error) {
    response.writeHead(error instanceof VerificationError ? 401 : 500).end()
  }
})
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/webhooks`
  const webhook = new Webhook(url, { signing: { schemes: ['standard'], secret }, maxRetries: 0 })
  say(`answered ${(await webhook.send({ order: 'o_1' }, { id: 'evt_1' })).status}`)
  await webhook.close()
  server.close()
})
