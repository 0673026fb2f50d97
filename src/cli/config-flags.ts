/** The settings of the server as flags of a command. */
import type { Command } from 'commander'
import { loadConfig } from '../config/load-config.ts'
import type { AnySetting, Config, SettingKey } from '../config/schema.ts'
import { flagName, settingList, variableName } from '../config/schema.ts'
import type { CliIo } from './io.ts'
import { collect } from './option-values.ts'

/** Only those that the command uses; default all. After the command's own options, under a heading. */
export function addConfigFlags(command: Command, keys?: readonly SettingKey[]): void {
  command.optionsGroup('Settings:')
  command.option('--config <file>', 'JSON file of settings (OUTHOOK_CONFIG)')
  for (const [key, setting] of settingList) {
    if (keys !== undefined && !keys.includes(key)) continue
    const { placeholder, repeats } = setting.type
    const usage = placeholder === null ? flagName(setting) : `${flagName(setting)} <${placeholder}>`
    const text = `${setting.description} (${variableName(setting)}${defaultNote(setting)})`
    if (repeats === true) command.option(usage, text, collect)
    else command.option(usage, text)
  }
}

function defaultNote(setting: AnySetting): string {
  if (setting.defaultText !== undefined) return `; default: ${setting.defaultText}`
  const text = setting.type.format(setting.default)
  return text === '' || text === 'false' ? '' : `; default: ${text}`
}

export type GivenFlags = Partial<Record<SettingKey, unknown>>

/** `ofCommand` stands below the flags that were given and above everything else. */
export function readConfig(command: Command, io: CliIo, ofCommand: GivenFlags = {}): Config {
  const options = command.opts<Record<string, unknown> & { config?: string }>()
  const flags: GivenFlags = {}
  for (const [key, setting] of settingList) {
    const value = options[attributeName(setting)]
    if (value !== undefined) flags[key] = value
  }
  return loadConfig({ flags, command: ofCommand, env: io.env, file: options.config })
}

/** The name under which commander keeps a flag: `--max-in-flight` is `maxInFlight`. */
function attributeName(setting: AnySetting): string {
  return setting.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
