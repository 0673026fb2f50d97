/** From templates and a delivery to what Discord takes as a message. */
import { discordLimits } from '../../discord/limits.ts'
import { prepareMessage } from '../../discord/prepare-message.ts'
import { type Filling, fillTemplate } from '../messages/fill-template.ts'
import type { Template } from '../messages/template.ts'
import { type DiscordTemplates, messageRules } from './discord-settings.ts'

/** Discord refuses what shows nothing, and an event whose values are empty is one all the same. */
const nothingToShow = '(nothing to show)'

export function composeDiscordMessage(
  templates: DiscordTemplates,
  filling: Filling,
): Readonly<Record<string, unknown>> {
  const fill = (template: Template | null, maxChars: number): string | undefined => {
    if (template === null) return undefined
    const text = fillTemplate(template, filling, { maxChars })
    return text.trim() === '' ? undefined : text
  }
  const { username, color } = templates
  const title = fill(templates.title, discordLimits.titleChars)
  const description = fill(templates.description, discordLimits.descriptionChars)
  const footer = fill(templates.footer, discordLimits.footerChars)
  const hasEmbed = title !== undefined || description !== undefined
  const content =
    fill(templates.content, discordLimits.contentChars) ?? (hasEmbed ? undefined : nothingToShow)
  const embed = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(footer !== undefined && { footer: { text: footer } }),
    ...(color !== null && { color }),
  }
  const message = {
    ...(content !== undefined && { content }),
    ...(hasEmbed && { embeds: [embed] }),
    ...(username !== null && { username }),
  }
  return prepareMessage(message, messageRules).payload
}
