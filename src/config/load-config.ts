/** Flag over environment over file over default; every mistake in one error. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OuthookError } from '../core/errors.ts'
import { RetryPolicies } from '../core/retry-policies.ts'
import type { SettingSource } from '../core/setting-source.ts'
import { nearestName } from './nearest-name.ts'
import type { AnySetting, Config, SettingKey } from './schema.ts'
import { flagName, memberName, settingList, settings, variableName } from './schema.ts'
import { defaultSource, describeSource, noteSources } from './setting-sources.ts'
import type { StoreLocation } from './value-types.ts'

export interface ConfigSources {
  /** By the key of `Config`; undefined where a flag was not given. */
  readonly flags?: Readonly<Partial<Record<SettingKey, unknown>>>
  /** What the command wants where no flag is given, by the key of `Config`; wins over environment and file. */
  readonly command?: Readonly<Partial<Record<SettingKey, unknown>>>
  /** The library's: by the key of `Config` without its unit, such as `totalTimeout`. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Path of a JSON file; wins over `OUTHOOK_CONFIG`. */
  readonly file?: string | undefined
}

/** Variables that are no settings of the server: where the file is, and what the other commands read. */
const otherVariables = ['OUTHOOK_CONFIG', 'OUTHOOK_URL', 'OUTHOOK_TOKEN']

/**
 * Kubernetes sets these for every service of a namespace, so a service that is called `outhook` would otherwise
 * keep its own pods from starting.
 */
const serviceVariables = /^OUTHOOK_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/

/**
 * @throws OuthookError `invalid_config`, naming every bad value, where it came from and what is allowed
 *
 * @example
 * const config = loadConfig({ env: process.env, flags: { port: '0' } })
 */
export function loadConfig(sources: ConfigSources): Config {
  const env = withoutServiceVariables(sources.env ?? {})
  const options = sources.options ?? {}
  const nameOf = sources.options === undefined ? settingName : optionName
  const problems = [...unknownVariables(env), ...unknownOptions(options)]
  const file = sources.file ?? (env.OUTHOOK_CONFIG || undefined)
  const members = file === undefined ? {} : readMembers(file, problems)
  const sourceOf = new Map<SettingKey, SettingSource>()
  const values = Object.fromEntries(
    settingList.map(([key, setting]) => {
      const member = `"${memberName(setting)}" in ${file}`
      const given: Given | undefined = [
        { raw: options[optionName(key)], from: { kind: 'option', name: optionName(key) } as const },
        { raw: sources.flags?.[key], from: { kind: 'flag', name: flagName(setting) } as const },
        { raw: sources.command?.[key], from: { kind: 'command', name: null } as const },
        {
          raw: env[variableName(setting)] || undefined,
          from: { kind: 'environment', name: variableName(setting) } as const,
        },
        { raw: members[memberName(setting)], from: { kind: 'file', name: member } as const },
      ].find(({ raw }) => raw !== undefined)
      if (given === undefined) return [key, setting.default]
      sourceOf.set(key, given.from)
      return [key, read(setting, given, { name: nameOf(key), problems })]
    }),
  ) as Omit<Config, 'store'> & { readonly store: StoreLocation | null }
  if (problems.length === 0) {
    problems.push(...contradictions(values, nameOf), ...unknownProfile(values, { nameOf, sourceOf }))
  }
  if (problems.length > 0) throw invalid(problems)
  const config = Object.freeze({ ...values, store: values.store ?? defaultStore(values.dataDir) })
  noteSources(config, sourceOf)
  return config
}

function defaultStore(dataDir: string): StoreLocation {
  return { kind: 'sqlite', path: join(dataDir, 'outhook.db') }
}

interface Given {
  readonly raw: unknown
  readonly from: SettingSource
}

/** How the settings are called where these were given. */
type NameOf = (key: SettingKey) => string

const settingName: NameOf = (key) => settings[key].name

function read(
  setting: AnySetting,
  given: Given,
  { name, problems }: { readonly name: string; readonly problems: string[] },
): unknown {
  const value = setting.type.parse(given.raw)
  if (value !== null) return value
  const problem = setting.type.explain?.(given.raw) ?? null
  const why = problem === null ? '' : ` (${problem})`
  const shown = setting.secret === true ? 'the value (not shown)' : show(given.raw)
  problems.push(
    `${name}: ${shown} from ${describeSource(given.from)} is not allowed${why}; use ${setting.type.allowed}`,
  )
  return setting.default
}

function show(raw: unknown): string {
  // A store's URL may hold a password.
  const json = (JSON.stringify(raw) ?? String(raw))
    .replace(/(:\/\/[^:@/]*):.*@/, '$1:…@')
    .replace(/([?&]\w*pass\w*=)[^&"]*/gi, '$1…')
  return json.length > 100 ? `${json.slice(0, 100)}…` : json
}

function withoutServiceVariables(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      name.startsWith('OUTHOOK_') &&
      !serviceVariables.test(name) &&
      !(name === 'OUTHOOK_PORT' && /^(tcp|udp|sctp):\/\//.test(value ?? '')),
  )
  return Object.fromEntries(kept)
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...settingList.map(([, setting]) => variableName(setting)), ...otherVariables]
  return Object.keys(env)
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: no such environment variable${suggestion(name, known)}`)
}

function unknownOptions(options: Readonly<Record<string, unknown>>): string[] {
  const known = settingList
    .map(([key]) => key)
    .filter((key) => !serverOnly.has(key))
    .map(optionName)
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: no such option${suggestion(name, known, 'docs/guides/library.md')}`)
}

/** What a program has no use for: given to the library, nobody would read it. */
const serverOnly: ReadonlySet<SettingKey> = new Set([
  'dataDir',
  'host',
  'port',
  'role',
  'processes',
  'adminToken',
  'ingestRate',
  'alertChannels',
  'alertMention',
  'alertBacklog',
  'logLevel',
  'logFormat',
] as const)

function optionName(key: SettingKey): string {
  return key.replace(/Ms$/, '')
}

function readMembers(file: string, problems: string[]): Readonly<Record<string, unknown>> {
  const parsed = readJson(file, problems)
  if (parsed === undefined) return {}
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    problems.push(`${file}: must hold one JSON object of settings, such as {"port": 8080}`)
    return {}
  }
  const known = settingList.map(([, setting]) => memberName(setting))
  for (const name of Object.keys(parsed)) {
    if (!known.includes(name))
      problems.push(`"${name}" in ${file}: no such setting${suggestion(name, known)}`)
  }
  return parsed as Readonly<Record<string, unknown>>
}

function readJson(file: string, problems: string[]): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    problems.push(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code}); name a readable JSON file`,
    )
    return undefined
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    problems.push(`${file}: is not JSON (${(error as Error).message})`)
    return undefined
  }
}

function suggestion(
  name: string,
  known: readonly string[],
  page = 'docs/reference/configuration.md',
): string {
  const nearest = nearestName(name, known)
  return nearest === null ? `; see ${page}` : `; did you mean ${nearest}?`
}

function contradictions(
  values: Omit<Config, 'store'> & { readonly store: StoreLocation | null },
  nameOf: NameOf,
): string[] {
  const problems: string[] = []
  const isLonger = (one: SettingKey, other: SettingKey) =>
    `${nameOf(one)}: is longer than ${nameOf(other)}; make it shorter`
  if (values.connectTimeoutMs > values.totalTimeoutMs) {
    problems.push(isLonger('connectTimeoutMs', 'totalTimeoutMs'))
  }
  if (values.headersTimeoutMs > values.totalTimeoutMs) {
    problems.push(isLonger('headersTimeoutMs', 'totalTimeoutMs'))
  }
  if (values.breakerPauseMs > values.breakerMaxPauseMs) {
    problems.push(isLonger('breakerPauseMs', 'breakerMaxPauseMs'))
  }
  if (values.retainEventsMs > 0 && values.retainEventsMs < values.idempotencyTtlMs) {
    problems.push(
      `${nameOf('retainEventsMs')}: is shorter than ${nameOf('idempotencyTtlMs')}, whose keys answer with events; make it longer`,
    )
  }
  const store = values.store ?? defaultStore(values.dataDir)
  if (store.kind === 'sqlite' && values.outboxes.some((path) => resolve(path) === resolve(store.path))) {
    problems.push(
      `${nameOf('outboxes')}: sqlite:${store.path} is the store; name the SQLite file of your own program`,
    )
  }
  if (values.store?.kind !== 'postgres') {
    const remedy = 'one process owns a SQLite file; use --store postgres://… , or leave it out'
    if (values.processes > 1)
      problems.push(`processes: ${values.processes} need a PostgreSQL store, because ${remedy}`)
    if (values.role !== 'all')
      problems.push(`role: ${values.role} needs a PostgreSQL store, because ${remedy}`)
  }
  return problems
}

/** The default may be a profile of one's own, so whether it is one is known only when all settings are read. */
function unknownProfile(
  { retryProfiles, defaultRetryPolicy }: Pick<Config, 'retryProfiles' | 'defaultRetryPolicy'>,
  {
    nameOf,
    sourceOf,
  }: { readonly nameOf: NameOf; readonly sourceOf: ReadonlyMap<SettingKey, SettingSource> },
): string[] {
  const policies = new RetryPolicies(retryProfiles, defaultRetryPolicy)
  const { ofServer } = policies
  if (typeof ofServer !== 'string' || policies.knows(ofServer)) return []
  const from = describeSource(sourceOf.get('defaultRetryPolicy') ?? defaultSource)
  return [
    `${nameOf('defaultRetryPolicy')}: "${ofServer}" from ${from} is not allowed, because it is no profile; profiles are ${policies.describe()}; ${nameOf('retryProfiles')} adds your own`,
  ]
}

function invalid(problems: readonly string[]): OuthookError {
  const lines = problems.map((problem) => `  ${problem}`)
  return new OuthookError('invalid_config', `the configuration is not valid:\n${lines.join('\n')}`)
}
