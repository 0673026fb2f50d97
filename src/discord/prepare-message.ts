/** From a message to the body of its request: every limit of Discord is met or named before anything is sent. */
import { fitEmbeds } from './fit-embeds.ts'
import { LimitKeeper, type OnLimit } from './limit-keeper.ts'
import { discordLimits } from './limits.ts'
import type { AllowedMentions, DiscordFile, DiscordMessage } from './message.ts'

export interface MessageRules {
  readonly onLimit: OnLimit
  readonly purpose: 'send' | 'edit'
  readonly username?: string | undefined
  readonly avatarUrl?: string | undefined
  readonly allowedMentions?: AllowedMentions | undefined
  readonly maxFileBytes: number
}

export interface PreparedMessage {
  readonly payload: Readonly<Record<string, unknown>>
  readonly files: readonly DiscordFile[]
}

/** Whoever is named in a text is not pinged by it. */
export const noMentions: AllowedMentions = { parse: [] }

/** Errors: invalid_payload, with every problem in its message. */
export function prepareMessage(message: DiscordMessage, rules: MessageRules): PreparedMessage {
  const limits = new LimitKeeper(rules.onLimit)
  const { content, files = [], flags, tts, components, poll, appliedTags } = message
  const embeds = message.embeds === undefined ? undefined : fitEmbeds(message.embeds, limits)
  const payload = {
    ...(content === undefined
      ? {}
      : { content: limits.text('content', content, discordLimits.contentChars) }),
    ...(embeds === undefined ? {} : { embeds }),
    allowed_mentions: message.allowedMentions ?? rules.allowedMentions ?? noMentions,
    ...(rules.purpose === 'send' ? identityOf(message, { rules, limits }) : {}),
    ...(flags === undefined ? {} : { flags }),
    ...(tts === undefined ? {} : { tts }),
    ...(components === undefined ? {} : { components }),
    ...(poll === undefined ? {} : { poll }),
    ...(appliedTags === undefined ? {} : { applied_tags: appliedTags }),
    ...(files.length === 0 ? {} : { attachments: files.map(toAttachment) }),
  }
  checkFiles(files, { limits, maxBytes: rules.maxFileBytes })
  const isBlank = typeof content !== 'string' ? !content : content.trim() === ''
  const isEmpty = isBlank && !embeds?.length && !files.length && !components?.length && poll === undefined
  if (isEmpty && rules.purpose === 'send') {
    limits.refuse('the message is empty; give it content, embeds, files, components or a poll')
  }
  limits.throwProblems()
  return { payload, files }
}

function identityOf(message: DiscordMessage, given: { rules: MessageRules; limits: LimitKeeper }): object {
  const { rules, limits } = given
  const username = fitUsername(message.username ?? rules.username, limits)
  const avatarUrl = message.avatarUrl ?? rules.avatarUrl
  const { threadName } = message
  return {
    ...(username === undefined ? {} : { username }),
    ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    ...(threadName === undefined
      ? {}
      : { thread_name: limits.text('threadName', threadName, discordLimits.threadNameChars) }),
  }
}

/** Discord refuses these in names, or as names, in any case. A message under the webhook's own name beats none. */
const refusedNames = /clyde|discord|^\s*(?:here|everyone)\s*$/i

function fitUsername(username: string | undefined, limits: LimitKeeper): string | undefined {
  if (username === undefined) return undefined
  const refused = typeof username !== 'string' || username.trim() === '' || refusedNames.test(username)
  if (!refused) return limits.text('username', username, discordLimits.usernameChars)
  if (limits.onLimit === 'error') {
    limits.refuse(
      'username must not be empty, "here" or "everyone", or hold "clyde" or "discord"; choose another',
    )
  }
  return undefined
}

function toAttachment(file: DiscordFile, id: number): object {
  return {
    id,
    filename: file.name,
    ...(file.description === undefined ? {} : { description: file.description }),
  }
}

function checkFiles(files: readonly DiscordFile[], given: { limits: LimitKeeper; maxBytes: number }): void {
  const { limits, maxBytes } = given
  if (files.length > discordLimits.files) {
    limits.refuse(
      `the message has ${files.length} files and Discord takes ${discordLimits.files}; send fewer`,
    )
  }
  for (const [index, { name, data }] of files.entries()) {
    if (typeof name !== 'string' || name === '') limits.refuse(`files[${index}] has no name; give it one`)
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      limits.refuse(`files[${index}].data is neither text nor a Uint8Array; give it as one of these`)
      continue
    }
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
    if (bytes > maxBytes) {
      limits.refuse(`files[${index}] has ${bytes} bytes and ${maxBytes} are allowed; send a smaller one`)
    }
  }
}
