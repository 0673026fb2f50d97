// Alerts from a service that must not suffer from them. DISCORD_WEBHOOK_ALERTS=… node examples/alerts-from-a-service.ts
import { AlertSender, createErrorReporter } from 'outhook/alerts'

const say = (text: string) => process.stdout.write(`${text}\n`)

const alerts = AlertSender.fromEnv(process.env, { username: 'billing', fallbackChannel: 'alerts' })
const report = createErrorReporter(alerts, { footer: 'billing' })

for (const { channel, ok } of await alerts.probe()) say(`channel ${channel}: ${ok === false ? 'down' : 'up'}`)

// Ten times the same within a minute: three are posted, and then one that says how many there were.
for (let order = 1; order <= 10; order++) {
  try {
    throw new Error(`card processor refused order ${order}`)
  } catch (error) {
    report(error, { order })
  }
}

await alerts.flush()
const { delivered, throttled, summaries } = alerts.stats()
say(`delivered ${delivered}, held back ${throttled}, summaries ${summaries}`)
await alerts.close()
