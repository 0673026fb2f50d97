/** Endpoints that are Discord webhooks: an event becomes a message in a channel. */
import { OuthookError } from '../../core/errors.ts'
import type { DestinationKind, EndpointParts } from '../port.ts'
import { DiscordDestination } from './discord-destination.ts'
import { compileDiscordSettings, discordSettingsSchema } from './discord-settings.ts'

/** As Discord shows it, with or without a version of its API. The token at the end is all that one needs to post. */
const webhookPath = /^(\/api\/(?:v\d+\/)?webhooks\/\d+\/)[\w-]+\/?$/

export const discord: DestinationKind = {
  title: 'a Discord webhook',
  takes: ['settings'],
  // Discord takes five messages in two seconds from one webhook, and messages of one channel are read in their order.
  defaults: { maxInFlight: 1, rateLimitRps: 2.5 },
  settingsSchema: discordSettingsSchema,

  readSettings: (settings, member) => compileDiscordSettings(settings, member).given,

  async readAddress(given, checkUrl) {
    const url = await checkUrl(given)
    const match = webhookPath.exec(url.pathname)
    if (match === null || url.search !== '') {
      throw new OuthookError(
        'unprocessable',
        'url is no Discord webhook; give one as Discord shows it, https://discord.com/api/webhooks/ID/TOKEN',
      )
    }
    return { address: url.href, shown: `${url.origin}${match[1]}***` }
  },

  prepare: (parts: EndpointParts) => new DiscordDestination(parts),
}
