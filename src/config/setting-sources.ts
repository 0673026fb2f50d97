/** Who has said what a setting is, for those who look for why a server does what it does. */
import type { SettingSource } from '../core/setting-source.ts'
import type { Config, SettingKey } from './schema.ts'

export const defaultSource: SettingSource = { kind: 'default', name: null }

/** Beside the configuration and not in it: nothing that goes by a setting asks where it is from. */
const sources = new WeakMap<Config, ReadonlyMap<SettingKey, SettingSource>>()

/** Settings that are not in the map have their defaults. */
export function noteSources(config: Config, of: ReadonlyMap<SettingKey, SettingSource>): void {
  sources.set(config, of)
}

/** Null: nobody knows, because the configuration was put together without `loadConfig` and `changeConfig`. */
export function sourceOf(config: Config, key: SettingKey): SettingSource | null {
  const known = sources.get(config)
  return known === undefined ? null : (known.get(key) ?? defaultSource)
}

/** What a command sets by itself is told as that. A value that stays what it was keeps its source. */
export function changeConfig(config: Config, changes: Partial<Config>): Config {
  const changed: Config = Object.freeze({ ...config, ...changes })
  const ofCommand = (Object.keys(changes) as SettingKey[])
    .filter((key) => changes[key] !== config[key])
    .map((key) => [key, { kind: 'command', name: null }] as const)
  noteSources(changed, new Map<SettingKey, SettingSource>([...(sources.get(config) ?? []), ...ofCommand]))
  return changed
}

/** For errors. */
export function describeSource({ kind, name }: SettingSource): string {
  switch (kind) {
    case 'flag':
    case 'option':
      return `the ${kind} ${name}`
    case 'environment':
      return `the variable ${name}`
    case 'file':
      return `${name}`
    case 'command':
      return 'the command'
    case 'default':
      return 'the default'
  }
}
