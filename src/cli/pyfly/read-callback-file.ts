/**
 * Reads a file of pyfly's callbacks: a list of configs as `dataclasses.asdict` writes them, one such config, or an object
 * with `configs` and, as in `pyfly.yaml`, `pyfly.callbacks`.
 */
import { parseDuration } from '../../core/duration.ts'
import { counted } from '../counted.ts'
import { UsageError } from '../exit-codes.ts'
import {
  type AuthorizedDomain,
  type CallbackConfig,
  type CallbackFile,
  type CallbackHeader,
  type CallbackSettings,
  type CallbackSubscription,
  callbackDefaults,
  type Ignored,
  type Located,
} from './callback-file.ts'
import { FileMembers, type FileText, isObject, isWhole, type Path } from './file-members.ts'
import { parseText } from './parse-text.ts'

type Members = Readonly<Record<string, unknown>>

const configMembers = [
  'id',
  'tenant_id',
  'name',
  'enabled',
  'subscriptions',
  'authorized_domains',
  'secret',
  'max_attempts',
  'backoff_ms',
]
const maxShownProblems = 20
/** Names of what is made begin with it. */
const maxIdChars = 128

/** Throws `UsageError`, which names each member that is wrong with its line and never its value. */
export async function readCallbackFile(text: string, name: string): Promise<CallbackFile> {
  const parsed = await parseText(text, name)
  const reader = new CallbackReader(parsed)
  const file = reader.read()
  const { problems } = reader.members
  if (problems.length === 0) return file
  const lines = problems
    .slice(0, maxShownProblems)
    .map(({ place, problem }) => `  line ${place.line}: ${place.path} ${problem}`)
  const more = problems.length - lines.length
  const rest = more > 0 ? [`  and ${more} more`] : []
  const head = `${name} has ${counted(problems.length, 'mistake')}; nothing was imported:`
  throw new UsageError([head, ...lines, ...rest].join('\n'))
}

class CallbackReader {
  readonly members: FileMembers
  readonly #root: unknown
  readonly #ignored: Ignored[] = []

  constructor(text: FileText) {
    this.members = new FileMembers(text)
    this.#root = text.root
  }

  read(): CallbackFile {
    const root = this.#root
    const { configs, settings } = this.#sections(root)
    const read = configs.flatMap(({ value, path }) => this.#config(value, path) ?? [])
    this.#refuseTwice(read)
    return { configs: read, settings, ignored: this.#ignored }
  }

  #sections(root: unknown): { configs: { value: unknown; path: Path }[]; settings: CallbackSettings } {
    if (Array.isArray(root)) return { configs: inList(root, []), settings: {} }
    const object = this.members.object(root, [])
    if (object === null) return { configs: [], settings: {} }
    if ('subscriptions' in object) return { configs: [{ value: object, path: [] }], settings: {} }
    this.members.unknown(object, [], ['configs', 'pyfly', 'executions'])
    this.#passExecutions(object.executions)
    if (object.configs === undefined) {
      this.members.refuse(['configs'], 'is missing: the list of callback configs')
    }
    const list = this.members.list(object.configs, ['configs'])
    return { configs: inList(list, ['configs']), settings: this.#settings(object) }
  }

  /** What was under way is not configuration. */
  #passExecutions(value: unknown): void {
    const pending = this.members
      .list(value, ['executions'])
      .filter((one) => isObject(one) && String(one.status).toUpperCase() === 'PENDING').length
    if (pending === 0) return
    this.#ignored.push({
      place: this.members.place(['executions']),
      problem: `${counted(pending, 'execution')} PENDING in pyfly, which never resumes them`,
      advice: 'publish their events again with "outhook publish" if they are still wanted',
    })
  }

  #config(value: unknown, path: Path): CallbackConfig | null {
    const { members } = this
    const config = members.object(value, path)
    if (config === null) return null
    for (const name of members.unknown(config, path, configMembers)) this.#ignore([...path, name])
    const id = members.requiredText(config.id, [...path, 'id'])
    if (id.value.length > maxIdChars || /\p{Cc}/u.test(id.value)) {
      members.refuse([...path, 'id'], `must be at most ${maxIdChars} characters without control characters`)
    }
    const secret = members.text(config.secret, [...path, 'secret'])
    const at = (name: string): Path => [...path, name]
    const whole = (name: string, fallback: number) =>
      members.value(config[name], at(name), { read: isWhole, form: 'a whole number from 0', fallback })
    return {
      place: members.place(path),
      id: id.value,
      tenantId: members.text(config.tenant_id, at('tenant_id')).value,
      name: members.text(config.name, at('name')).value,
      enabled: this.#flag(config.enabled, at('enabled'), true).value,
      subscriptions: this.#eachOf(config, at('subscriptions'), (one, place) =>
        this.#subscription(one, place),
      ),
      authorizedDomains: this.#eachOf(config, at('authorized_domains'), (one, place) =>
        this.#domain(one, place),
      ),
      secret: secret.value === '' ? null : secret,
      maxAttempts: whole('max_attempts', callbackDefaults.maxAttempts),
      backoffMs: whole('backoff_ms', callbackDefaults.backoffMs),
    }
  }

  #eachOf<T>(config: Members, path: Path, read: (value: unknown, path: Path) => T | null): readonly T[] {
    const list = this.members.list(config[String(path.at(-1))], path)
    return list.flatMap((value, index) => read(value, [...path, index]) ?? [])
  }

  #subscription(value: unknown, path: Path): CallbackSubscription | null {
    const subscription = this.members.object(value, path)
    if (subscription === null) return null
    const known = ['event_type', 'target_url', 'headers']
    for (const name of this.members.unknown(subscription, path, known)) this.#ignore([...path, name])
    return {
      place: this.members.place(path),
      eventType: this.members.requiredText(subscription.event_type, [...path, 'event_type']),
      targetUrl: this.members.requiredText(subscription.target_url, [...path, 'target_url']),
      headers: this.#headers(subscription.headers, [...path, 'headers']),
    }
  }

  #headers(value: unknown, path: Path): readonly CallbackHeader[] {
    if (value === undefined || value === null) return []
    const headers = this.members.object(value, path) ?? {}
    return Object.entries(headers).map(([name, given]) => {
      const { value: text, place } = this.members.text(given, [...path, name])
      return { place, name, value: text }
    })
  }

  /** pyfly's own is an object; a bare name is what people write by hand. */
  #domain(value: unknown, path: Path): AuthorizedDomain | null {
    const place = this.members.place(path)
    if (typeof value === 'string') return { place, domain: value, description: '' }
    const entry = this.members.object(value, path)
    if (entry === null) return null
    for (const name of this.members.unknown(entry, path, ['domain', 'description'])) {
      this.#ignore([...path, name])
    }
    const domain = this.members.requiredText(entry.domain, [...path, 'domain'])
    const { value: description } = this.members.text(entry.description, [...path, 'description'])
    return { place, domain: domain.value, description }
  }

  #flag(value: unknown, path: Path, fallback: boolean): Located<boolean> {
    const read = (given: unknown) => (typeof given === 'boolean' ? given : null)
    return this.members.value(value, path, { read, form: 'true or false', fallback })
  }

  #ignore(path: Path): void {
    this.#ignored.push({
      place: this.members.place(path),
      problem: 'is no member that pyfly’s callbacks have',
      advice: 'nothing, unless a program of yours reads it',
    })
  }

  /** `pyfly.callbacks`, nested as in YAML or with dots as in properties; hyphens may be underscores. */
  #settings(root: Members): CallbackSettings {
    const path = ['pyfly', 'callbacks']
    const pyfly = root.pyfly === undefined ? null : this.members.object(root.pyfly, ['pyfly'])
    const callbacks = pyfly?.callbacks === undefined ? null : this.members.object(pyfly.callbacks, path)
    if (callbacks === null) return {}
    const found = new Map<string, { readonly value: unknown; readonly path: Path }>()
    collectLeaves(callbacks, path, (name, leaf) => found.set(name, leaf))
    const settings: Record<string, unknown> = {}
    for (const [name, { member, read, form }] of Object.entries(settingMembers)) {
      const leaf = found.get(name)
      found.delete(name)
      if (leaf === undefined || leaf.value === null) continue
      settings[member] = this.members.value(leaf.value, leaf.path, { read, form, fallback: 0 })
    }
    for (const { path: unknown } of found.values()) this.#ignore(unknown)
    return settings as CallbackSettings
  }

  #refuseTwice(configs: readonly CallbackConfig[]): void {
    const seen = new Map<string, CallbackConfig>()
    for (const config of configs) {
      const earlier = seen.get(config.id)
      seen.set(config.id, config)
      if (earlier === undefined || config.id === '') continue
      const problem = `is the id of ${earlier.place.path} too; each config needs one of its own`
      this.members.problems.push({ place: { ...config.place, path: `${config.place.path}.id` }, problem })
    }
  }
}

const duration = 'a number of seconds, or a duration such as "10s"'
const settingMembers: Readonly<
  Record<
    string,
    {
      readonly member: keyof CallbackSettings
      readonly read: (value: unknown) => unknown
      readonly form: string
    }
  >
> = {
  enabled: {
    member: 'enabled',
    read: (value) => (typeof value === 'boolean' ? value : null),
    form: 'true or false',
  },
  'http.timeout': { member: 'timeoutMs', read: readSeconds, form: duration },
  'http.circuit-breaker.failure-threshold': {
    member: 'failureThreshold',
    read: isWhole,
    form: 'a whole number from 0',
  },
  'http.circuit-breaker.recovery-timeout': { member: 'recoveryMs', read: readSeconds, form: duration },
}

/** A number is seconds there, and milliseconds here. */
function readSeconds(value: unknown): number | null {
  if (typeof value === 'number') return value >= 0 && value < 1e9 ? Math.round(value * 1000) : null
  if (typeof value !== 'string') return null
  return /^\d+(\.\d+)?$/.test(value) ? readSeconds(Number(value)) : parseDuration(value)
}

function collectLeaves(
  value: Members,
  path: Path,
  found: (name: string, leaf: { value: unknown; path: Path }) => void,
  prefix = '',
): void {
  for (const [name, member] of Object.entries(value)) {
    const full = prefix + name.replaceAll('_', '-')
    const at = [...path, name]
    if (isObject(member)) collectLeaves(member, at, found, `${full}.`)
    else found(full, { value: member, path: at })
  }
}

function inList(list: readonly unknown[], path: Path): { value: unknown; path: Path }[] {
  return list.map((value, index) => ({ value, path: [...path, index] }))
}
