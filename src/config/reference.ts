/** Writes the reference page of the configuration from the table of settings. */
import type { AnySetting } from './schema.ts'
import { flagName, memberName, settingList, variableName } from './schema.ts'

const head = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs:reference\`. Do not edit. -->

A setting is looked for as a flag, then in the environment, then in the file that \`--config FILE\` (or
\`OUTHOOK_CONFIG\`) names, and then has its default. An environment variable that is empty counts as absent. Unknown
names are refused, and so are bad values: the error names each one, where it came from and what is allowed.

Durations read \`500ms\`, \`5s\`, \`30m\`, \`2h\`, \`1d\`, or are a whole number of milliseconds.

The file holds one JSON object:

\`\`\`json
{
  "port": 8080,
  "allow_http": true,
  "allow_network": ["127.0.0.0/8"],
  "total_timeout": "15s"
}
\`\`\`

The variables \`OUTHOOK_URL\` and \`OUTHOOK_TOKEN\` are no settings of the server: the other commands read them to find
one.
`

export function renderConfigReference(): string {
  return [head, ...settingList.map(([, setting]) => renderSetting(setting))].join('\n')
}

function renderSetting(setting: AnySetting): string {
  const { type } = setting
  const placeholder = type.placeholder === null ? '' : ` <${type.placeholder}>`
  const several =
    type.repeats === true ? ' (may be given several times; a comma list in the environment)' : ''
  return `## \`${setting.name}\`

${setting.description}${setting.secret === true ? ' A secret: never shown or logged; better not given as a flag.' : ''}

| | |
|---|---|
| flag | \`${flagName(setting)}${placeholder}\`${several} |
| environment | \`${variableName(setting)}\` |
| file | \`${memberName(setting)}\` |
| allowed | ${type.allowed} |
| default | ${defaultText(setting)} |
`
}

function defaultText(setting: AnySetting): string {
  if (setting.defaultText !== undefined) return setting.defaultText
  const text = setting.type.format(setting.default)
  return text === '' ? 'none' : `\`${text}\``
}
