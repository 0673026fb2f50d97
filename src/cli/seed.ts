/** What one needs to begin with, in one call: a producer key, an endpoint, and a subscription between them. */
import type { Command } from 'commander'
import { finishApiCommand } from './api-command.ts'
import type { CliIo } from './io.ts'
import { rateLimit } from './option-values.ts'

interface SeedOptions {
  readonly to: string
  readonly topic: string
  readonly ordered?: true
  readonly rateLimit?: number | 'none'
}

export function register(command: Command, io: CliIo): void {
  command
    .requiredOption('--to <endpoint-url>', 'where events are to be sent')
    .option('--topic <pattern>', 'which topics the key may publish and the endpoint gets', 'demo.*')
    .option('--ordered', 'deliver events of one ordering key one after the other')
    .option('--rate-limit <rps>', 'requests per second to the endpoint: 0.01 to 1000000, or none', rateLimit)
  finishApiCommand(command, io).run<SeedOptions>(async ({ client, print }, _args, options) => {
    const { to: url, topic, rateLimit: rate, ordered = false } = options
    // The endpoint first: it is what may be refused, and a key for nothing would stay.
    const endpoint = await client.endpoints.create({
      url,
      ...(!ordered && { topics: [topic] }),
      ...(typeof rate === 'number' && { rateLimitRps: rate }),
    })
    const subscription = ordered
      ? await client.subscriptions.create({ endpointId: endpoint.id, topicPatterns: [topic], ordered })
      : (await client.subscriptions.list({ endpointId: endpoint.id })).items[0]
    const key = await client.keys.create({ name: 'seed', scopes: [topic] })
    print.object({
      producer_key: key.key,
      key_id: key.id,
      endpoint_id: endpoint.id,
      endpoint_secret: 'secret' in endpoint ? endpoint.secret : null,
      subscription_id: subscription?.id ?? null,
    })
    print.note('\nKeep the key and the secret now: the key is not shown again.')
  })
}
