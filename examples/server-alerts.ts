// A server that tells people of a dead letter and of a disabled endpoint. Run: npx node examples/server-alerts.ts
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startReceiver } from 'outhook/testing'

const say = (text: string) => process.stdout.write(`${text}\n`)
const token = 'hkadm_of_the_example'

// Stands for the chat of the people, and for a customer's endpoint.
const receiver = await startReceiver()

const flags = ['--store', 'memory:', '--port', '0', '--allow-http', '--allow-network', '127.0.0.0/8']
const server = spawn('outhook', ['serve', ...flags], {
  // Of Discord, Slack or Teams it would be the URL alone.
  env: {
    ...process.env,
    OUTHOOK_ADMIN_TOKEN: token,
    OUTHOOK_ALERT_CHANNELS: `webhook+${receiver.url}/alerts`,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
let api = ''
for await (const line of createInterface(server.stdout)) {
  api = line.startsWith('{') ? (JSON.parse(line).url ?? '') : ''
  if (api !== '') break
}

async function post(path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${api}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
}

await post('/v1/endpoints', { url: `${receiver.url}/status/422`, topics: ['orders.*'] })
await post('/v1/endpoints', { url: `${receiver.url}/status/410`, topics: ['invoices.*'] })
await post('/v1/events', { topic: 'orders.created', payload: { id: 'o_1' } })
await post('/v1/events', { topic: 'invoices.sent', payload: { id: 'i_1' } })

const alerts = await receiver.waitFor((all) => all.filter(({ path }) => path === '/alerts').length >= 3)
for (const { path, body } of alerts) {
  if (path === '/alerts') say(JSON.parse(Buffer.from(body).toString()).title)
}

server.kill('SIGTERM')
await once(server, 'exit')
await receiver.close()
