/** What a Slack endpoint says of its messages. */
import { OuthookError } from '../../core/errors.ts'
import { isPlainObject } from '../../core/plain-object.ts'
import { compileTemplate, maxTemplateChars, type Template } from '../messages/template.ts'

export interface CompiledSlackSettings {
  readonly given: Readonly<Record<string, unknown>> | null
  readonly template: Template
}

export const slackSettingsSchema = {
  title: 'SlackSettings',
  type: 'object',
  additionalProperties: false,
  required: ['template'],
  properties: {
    template: {
      type: 'string',
      minLength: 1,
      maxLength: maxTemplateChars,
      description:
        'the message in Slack’s mrkdwn, with placeholders such as {{topic}} and {{payload.customer.name}}',
    },
  },
} as const

const defaultTemplate = '*{{topic}}*\n```{{payload}}```\n_{{id}}_'

/** Errors: unprocessable. */
export function compileSlackSettings(given: unknown, member: string): CompiledSlackSettings {
  if (given === null || given === undefined) {
    return { given: null, template: compileTemplate(defaultTemplate, member) }
  }
  const fault = (problem: string) => new OuthookError('unprocessable', `${member} ${problem}`)
  if (typeof given !== 'object' || !isPlainObject(given)) {
    throw fault('must be an object such as {"template": "{{topic}}: {{payload.id}}"}, or null')
  }
  const settings = given as Readonly<Record<string, unknown>>
  const unknown = Object.keys(settings).find((name) => name !== 'template')
  if (unknown !== undefined) {
    throw fault(`has no member ${JSON.stringify(unknown.slice(0, 64))}; there is template alone`)
  }
  return {
    given: { template: settings.template },
    template: compileTemplate(settings.template, `${member}.template`),
  }
}
