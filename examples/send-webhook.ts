// One signed webhook with retries: the receiver refuses it twice. Run: node examples/send-webhook.ts
import { Webhook } from 'outhook/sender'
import { startReceiver } from 'outhook/testing'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const receiver = await startReceiver({ secret })
const say = (text: string) => process.stdout.write(`${text}\n`)

const webhook = new Webhook(`${receiver.url}/fail/2`, {
  signing: { schemes: ['standard', 'hookrail'], secret },
  backoff: { baseMs: 50 },
  hooks: {
    onAttempt: ({ attempt, status, retryInMs }) =>
      say(`try ${attempt}: ${status}${retryInMs === null ? '' : `, again in ${Math.round(retryInMs)} ms`}`),
  },
})

const result = await webhook.send({ order: 'o_1', amount: 42 })
say(result.ok ? `delivered after ${result.attempts} tries` : `failed: ${result.error}`)

await webhook.close()
await receiver.close()
