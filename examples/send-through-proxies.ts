// A list of proxies, one of them dead: it is left out from then on. Run: node examples/send-through-proxies.ts
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ProxyPool, Webhook } from 'outhook/sender'
import { startReceiver } from 'outhook/testing'

const receiver = await startReceiver()
const say = (text: string) => process.stdout.write(`${text}\n`)

// The smallest HTTP proxy, so that the example needs none of yours.
const proxy = createServer((message, response) => {
  const { method, headers } = message
  const upstream = request(message.url ?? '', { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  upstream.on('error', () => response.writeHead(502).end())
  message.pipe(upstream)
})
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
const { port } = proxy.address() as AddressInfo

const proxies = new ProxyPool(['http://user:password@127.0.0.1:1', `http://127.0.0.1:${port}`])
const webhook = new Webhook(`${receiver.url}/hook`, { proxies })

for (const n of [1, 2]) {
  const result = await webhook.send({ n })
  say(`send ${n}: ${result.status} through ${result.proxy} after ${result.attempts} tries`)
}
for (const { proxy: place, healthy } of proxies.states()) say(`${place} ${healthy ? 'works' : 'rests'}`)

await webhook.close()
await receiver.close()
proxy.close()
proxy.closeAllConnections()
