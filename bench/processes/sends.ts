/** Sends as a script makes them, one after the other on each of some lanes: with `undici.request`, or with a `Webhook`. */
import { Agent, request } from 'undici'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { makePayload } from '../harness/load-shape.ts'
import { loadSender } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'

export type SendWay = 'undici.request' | 'unsigned' | 'guarded' | 'signed'

/** Rejects when the receiver did not take it. */
type Send = () => Promise<void>

const payload = makePayload(1)
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
let send: Send = () => Promise.reject(new Error('not open'))

const commands = {
  async open({ way, port }: { way: SendWay; port: number }): Promise<void> {
    const url = `http://127.0.0.1:${port}/hook`
    send = way === 'undici.request' ? openRaw(url) : await openWebhook(url, way)
  },
  async send({ count, concurrency }: { count: number; concurrency: number }): Promise<Spent> {
    let left = count
    const spent = startMeter()
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) await send()
      }),
    )
    return spent()
  },
}

export type SendsCommands = typeof commands

/** As little as it can be: the body is made once, and the answer's is thrown away. */
function openRaw(url: string): Send {
  const dispatcher = new Agent({ allowH2: false })
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(payload)
  return async () => {
    const answer = await request(url, { method: 'POST', headers, body, dispatcher })
    await answer.body.dump()
    if (answer.statusCode !== 200) throw new Error(`the receiver answered ${answer.statusCode}`)
  }
}

async function openWebhook(url: string, way: Exclude<SendWay, 'undici.request'>): Promise<Send> {
  const { Webhook } = await loadSender()
  const guard = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  const options = { unsigned: {}, guarded: { guard }, signed: { signing: { secret } } }
  const webhook = new Webhook(url, options[way])
  return async () => {
    const result = await webhook.send(payload)
    if (!result.ok) throw new Error(`a send failed: ${result.error}`)
  }
}

serveCommands(commands)
