/** What a Discord endpoint says of its messages. */
import { countCodePoints } from '../../core/code-points.ts'
import { OuthookError } from '../../core/errors.ts'
import { isPlainObject } from '../../core/plain-object.ts'
import { textProblem } from '../../core/text.ts'
import { discordLimits } from '../../discord/limits.ts'
import { type MessageRules, prepareMessage } from '../../discord/prepare-message.ts'
import { compileTemplate, maxTemplateChars, type Template } from '../messages/template.ts'

/** Cut where it is too long, never refused; nobody is pinged by what a payload says. */
export const messageRules: MessageRules = { onLimit: 'truncate', purpose: 'send', maxFileBytes: 0 }

/** Templates, compiled. */
export interface DiscordTemplates {
  readonly content: Template | null
  readonly title: Template | null
  readonly description: Template | null
  readonly footer: Template | null
  readonly color: number | null
  readonly username: string | null
  readonly thread: string | null
}

export interface CompiledDiscordSettings {
  readonly given: Readonly<Record<string, unknown>> | null
  readonly templates: DiscordTemplates
}

const text = (description: string) => ({
  type: 'string',
  minLength: 1,
  maxLength: maxTemplateChars,
  description,
})

export const discordSettingsSchema = {
  title: 'DiscordSettings',
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    template: text('the message, with placeholders such as {{topic}} and {{payload.customer.name}}'),
    title: text('of an embed below the message; placeholders as in the template'),
    description: text('the text of the embed'),
    footer: text('the line below the embed'),
    color: { type: 'integer', minimum: 0, maximum: 0xffffff, description: 'of the embed’s edge' },
    username: {
      type: 'string',
      minLength: 1,
      maxLength: discordLimits.usernameChars,
      description: 'instead of the webhook’s own name',
    },
    thread: { type: 'string', pattern: '^\\d{1,30}$', description: 'the id of a thread of the channel' },
  },
} as const

const fence = '```'
const defaults = {
  title: '{{topic}}',
  description: `${fence}json\n{{payload}}\n${fence}`,
  footer: '{{id}}',
} as const

/** Errors: unprocessable. */
export function compileDiscordSettings(given: unknown, member: string): CompiledDiscordSettings {
  if (given === null || given === undefined) return { given: null, templates: compile(defaults, member) }
  const fault = (problem: string) => new OuthookError('unprocessable', `${member} ${problem}`)
  const names = Object.keys(discordSettingsSchema.properties)
  if (typeof given !== 'object' || !isPlainObject(given)) {
    throw fault('must be an object such as {"template": "{{topic}}: {{payload.id}}"}, or null')
  }
  const settings = given as Readonly<Record<string, unknown>>
  const unknown = Object.keys(settings).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw fault(`has no member ${JSON.stringify(unknown.slice(0, 64))}; there are ${names.join(', ')}`)
  }
  const templates = compile(settings, member)
  const { content, title, description } = templates
  if (content === null && title === null && description === null) {
    throw fault('say nothing to show; give template, title or description')
  }
  return { given: structuredClone(settings), templates }
}

function compile(settings: Readonly<Record<string, unknown>>, member: string): DiscordTemplates {
  const template = (name: string): Template | null =>
    settings[name] === undefined ? null : compileTemplate(settings[name], `${member}.${name}`)
  return {
    content: template('template'),
    title: template('title'),
    description: template('description'),
    footer: template('footer'),
    color: readColor(settings.color, member),
    username: readName(settings.username, member),
    thread: readThread(settings.thread, member),
  }
}

function readColor(color: unknown, member: string): number | null {
  if (color === undefined) return null
  if (Number.isInteger(color) && Number(color) >= 0 && Number(color) <= 0xffffff) return Number(color)
  throw new OuthookError('unprocessable', `${member}.color must be a whole number from 0 to 16777215`)
}

/** Errors: unprocessable, for what Discord would refuse as a name. */
function readName(name: unknown, member: string): string | null {
  if (name === undefined) return null
  const problem = typeof name === 'string' ? textProblem(name) : 'must be text'
  if (problem !== null) throw new OuthookError('unprocessable', `${member}.username ${problem}`)
  const chars = countCodePoints(name as string)
  if (chars > discordLimits.usernameChars) {
    const limit = `Discord takes ${discordLimits.usernameChars}; shorten it`
    throw new OuthookError('unprocessable', `${member}.username has ${chars} characters and ${limit}`)
  }
  try {
    prepareMessage({ content: '-', username: name as string }, { ...messageRules, onLimit: 'error' })
    return name as string
  } catch (error) {
    const said = error instanceof Error ? error.message : 'cannot be read'
    throw new OuthookError('unprocessable', `${member}.${said}`)
  }
}

function readThread(thread: unknown, member: string): string | null {
  if (thread === undefined) return null
  if (typeof thread === 'string' && /^\d{1,30}$/.test(thread)) return thread
  throw new OuthookError('unprocessable', `${member}.thread must be the id of a thread, a number in text`)
}
