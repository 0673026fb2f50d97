/** What is secret about a request by where it stands: in its URL, in its proxy's, and in headers whose names say so. */
import { HiddenSecrets, minSecretChars } from '../core/hidden-secrets.ts'
import type { ProxyHop } from './port.ts'

const secretName = /auth|token|key|secret|cookie|passw|signature|credential|^sig$/i
/** What is not named as a secret is taken for one from this length on, when it looks like one. */
const minTokenChars = 16
const tokenLike = /^(?=.*\d)(?=.*[a-z])[\w.~+/=:-]+$/i
/** Whoever has one of their URLs can post: each long part of the path is taken for a part of the secret. */
const ofChats = /(?:^|\.)(?:slack(?:-gov)?|discord(?:app)?)\.com$/
/** Of `sha256=…` and the like. */
const maxPartName = 12
const separators = /[\s,;]+/
/** The time of a signature. */
const seconds = /^\d{1,10}$/
const maxKept = 1000

const byName = new Map<string, boolean>()
const byValue = new Map<string, HiddenSecrets>()
const byUrl = new WeakMap<URL, HiddenSecrets>()
const byProxy = new WeakMap<ProxyHop, HiddenSecrets>()

/** Of a header or a query parameter. */
export function isSecretName(name: string): boolean {
  return keptIn(byName, name, () => secretName.test(name))
}

/** Worked out once for each URL, which must not be changed. */
export function secretsOfUrl(url: URL): HiddenSecrets {
  const known = byUrl.get(url)
  if (known !== undefined) return known
  const secrets = new HiddenSecrets(textsOfUrl(url))
  byUrl.set(url, secrets)
  return secrets
}

/** What a proxy is told of the user, which its error pages repeat. */
export function secretsOfProxy(proxy: ProxyHop): HiddenSecrets {
  const known = byProxy.get(proxy)
  if (known !== undefined) return known
  const { username, password } = proxy.credentials() ?? { username: '', password: '' }
  const secrets = new HiddenSecrets(password === '' ? [] : [password, `${username}:${password}`])
  byProxy.set(proxy, secrets)
  return secrets
}

/** Of a header whose name says that it is one. */
export function secretsOfHeader(value: string): HiddenSecrets {
  return keptIn(byValue, value, () => new HiddenSecrets(textsOfHeader(value)))
}

/** The parts of `v1,abc v1,def`, `t=1,v1=abc`, `sha256=abc` that are so long. */
export function partsOf(value: string, least: number): readonly string[] {
  const found: string[] = []
  for (const part of value.split(separators)) {
    const equals = part.indexOf('=')
    const isNamed = equals > 0 && equals <= maxPartName && equals < part.length - 1
    const text = isNamed ? part.slice(equals + 1) : part
    if (text.length >= least && !seconds.test(text)) found.push(text)
  }
  return found
}

function textsOfUrl(url: URL): readonly string[] {
  const isChat = ofChats.test(url.hostname)
  const isToken = (text: string) => text.length >= minTokenChars && (isChat || tokenLike.test(text))
  const found = url.pathname.split('/').filter(isToken)
  for (const pair of url.search.slice(1).split('&')) {
    const equals = pair.indexOf('=')
    const [name, value] = [pair.slice(0, Math.max(0, equals)), pair.slice(equals + 1)]
    if (isSecretName(decode(name)) || value.length >= minTokenChars)
      found.push(value, value.replaceAll('+', ' '))
  }
  found.push(url.password, decode(url.username) === '' ? '' : `${url.username}:${url.password}`)
  return [...new Set(found.flatMap((text) => [text, decode(text)]))]
}

/** `Bearer abc`, and of `Basic dXNlcjpwYXNz` what is encoded too. */
function textsOfHeader(value: string): readonly string[] {
  const [, scheme = '', rest = ''] = /^(bearer|token|basic) +(.*)$/i.exec(value) ?? []
  const found = [...partsOf(scheme === '' ? value : rest, minSecretChars)]
  if (scheme.toLowerCase() !== 'basic') return found
  const pair = Buffer.from(rest, 'base64').toString('utf8')
  return [...found, pair, pair.slice(pair.indexOf(':') + 1)]
}

function keptIn<Value>(kept: Map<string, Value>, key: string, make: () => Value): Value {
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = make()
  if (kept.size >= maxKept) kept.clear()
  kept.set(key, made)
  return made
}

/** As it stands where it is not encoded well. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
