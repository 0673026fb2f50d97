/** Endpoints that are incoming webhooks of Slack, or of what takes the same: an event becomes a message in a channel. */
import { OuthookError } from '../../core/errors.ts'
import type { DestinationKind, EndpointParts } from '../port.ts'
import { SlackDestination } from './slack-destination.ts'
import { compileSlackSettings, slackSettingsSchema } from './slack-settings.ts'

const slackHost = /^hooks\.slack(?:-gov)?\.com$/
const slackPath = /^\/(?:services|workflows|triggers)\/./

export const slack: DestinationKind = {
  title: 'an incoming webhook of Slack',
  takes: ['settings'],
  // Slack takes about one message a second from one webhook, and messages of one channel are read in their order.
  defaults: { maxInFlight: 1, rateLimitRps: 1 },
  settingsSchema: slackSettingsSchema,

  readSettings: (settings, member) => compileSlackSettings(settings, member).given,

  async readAddress(given, checkUrl) {
    const url = await checkUrl(given)
    const isWrong = slackHost.test(url.hostname) ? !slackPath.test(url.pathname) : url.pathname === '/'
    if (isWrong) {
      throw new OuthookError(
        'unprocessable',
        'url is no incoming webhook; give one as Slack shows it, https://hooks.slack.com/services/T…/B…/…',
      )
    }
    return { address: url.href, shown: `${url.origin}/***` }
  },

  prepare: (parts: EndpointParts) => new SlackDestination(parts),
}
