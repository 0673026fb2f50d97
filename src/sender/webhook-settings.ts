/** The options of a `Webhook`, checked, and with everything that is worth working out once. */
import { type Clock, createSystemClock } from '../core/clock.ts'
import { parseCustomHeaders } from '../core/custom-headers.ts'
import { OuthookError } from '../core/errors.ts'
import type { SigningSecrets } from '../core/signing.ts'
import type { SigningScheme } from '../core/signing-scheme.ts'
import { validateSigningSchemes } from '../core/signing-schemes.ts'
import { parseSecret, prepareSecret } from '../core/signing-secrets.ts'
import { version } from '../version.ts'
import type { JudgeRules } from './judge-attempt.ts'
import type { Pacer } from './pacer.ts'
import type { ProxyProvider } from './proxy-provider.ts'
import { readNumber } from './read-number.ts'
import { Redactor } from './redaction.ts'
import type { SigningOptions, WebhookHooks, WebhookOptions } from './webhook-options.ts'

export type Headers = Readonly<Record<string, string>>

export interface WebhookSettings {
  readonly timeoutMs: number
  /** Of the caller's own, and so to be passed on to connections that are shared. */
  readonly ownTimeoutMs: number | undefined
  readonly maxRetries: number
  readonly maxProxyRetries: number
  readonly maxRetryAfterMs: number
  readonly backoff: JudgeRules['backoff']
  readonly failover: boolean
  /** Names in lower case; with user-agent, without content-type. */
  readonly headers: Headers
  readonly signing: PreparedSigning | null
  readonly proxies: ProxyProvider | null
  readonly pacer: Pacer | null
  readonly hooks: WebhookHooks
  readonly clock: Clock
  readonly random: () => number
  readonly redactor: Redactor
}

export interface PreparedSigning {
  readonly schemes: readonly SigningScheme[]
  readonly secrets: SigningSecrets
}

/** One URL of the pool. A text that is no URL is kept too: sending to it fails, making the `Webhook` does not. */
export interface PoolUrl {
  readonly text: string
  readonly url: URL | null
}

const defaultTimeoutMs = 15_000
const maxTimeoutMs = 24 * 3_600_000
const maxTries = 1000

/** Errors: invalid_config, unprocessable (headers, signing). */
export function readSettings(options: WebhookOptions): WebhookSettings {
  const own = options.pool === undefined
  for (const name of ['guard', 'ca'] as const) {
    if (own || options[name] === undefined) continue
    throw invalid(`${name} belongs to the connections; give it to createSender, not beside pool`)
  }
  const { proxies } = options
  if (proxies !== undefined && typeof proxies?.get !== 'function') {
    throw invalid('proxies has no get(); give a ProxyPool or an object with get() and burn()')
  }
  const redactor = new Redactor()
  const headers = parseCustomHeaders(options.headers)
  redactor.addHeaders(headers)
  return {
    timeoutMs: readTimeout(options.timeoutMs) ?? defaultTimeoutMs,
    ownTimeoutMs: own ? undefined : readTimeout(options.timeoutMs),
    maxRetries: readNumber('maxRetries', options.maxRetries ?? 3, { max: maxTries, whole: true }),
    maxProxyRetries: readNumber('maxProxyRetries', options.maxProxyRetries ?? 3, {
      max: maxTries,
      whole: true,
    }),
    maxRetryAfterMs: readNumber('maxRetryAfterMs', options.maxRetryAfterMs ?? 30_000, { max: maxTimeoutMs }),
    backoff: readBackoff(options.backoff),
    failover: options.failover ?? false,
    headers: { 'user-agent': `outhook/${version}`, ...headers },
    signing: options.signing === undefined ? null : readSigning(options.signing, redactor),
    proxies: proxies ?? null,
    pacer: options.pacer ?? null,
    hooks: options.hooks ?? {},
    clock: options.clock ?? createSystemClock(),
    random: options.random ?? Math.random,
    redactor,
  }
}

/** Errors: invalid_config for an empty list. */
export function readPool(
  urls: string | URL | readonly (string | URL)[],
  redactor: Redactor,
): readonly PoolUrl[] {
  const list = typeof urls === 'string' || urls instanceof URL ? [urls] : urls
  if (!Array.isArray(list) || list.length === 0) {
    throw invalid('a Webhook needs at least one URL; give a URL or a list of them')
  }
  return list.map((entry) => {
    const text = String(entry)
    // A copy: the caller may change theirs.
    const url = URL.canParse(text) ? new URL(text) : null
    if (url === null) redactor.add(text)
    else redactor.addUrl(url)
    return { text, url }
  })
}

/** Errors: invalid_config. */
export function readTimeout(value: number | undefined): number | undefined {
  return value === undefined ? undefined : readNumber('timeoutMs', value, { min: 1, max: maxTimeoutMs })
}

function readSigning(signing: SigningOptions, redactor: Redactor): PreparedSigning | null {
  const schemes = validateSigningSchemes(signing.schemes ?? [signing.scheme ?? 'standard'], 'signing.schemes')
  if (schemes.includes('none')) return null
  const { secret } = signing
  const texts = Array.isArray(secret) ? secret : [secret]
  if (texts.length === 0) throw invalid('signing.secret is an empty list; give at least one secret')
  const secrets = texts.map((text) => parseSecret(text, schemes, 'signing.secret'))
  for (const text of secrets) {
    redactor.add(text)
    redactor.add(text.replace(/^whs(ec|k)_/, ''))
  }
  const active = secrets.map(prepareSecret)
  return { schemes, secrets: { active, primary: active.at(-1) } }
}

function readBackoff(backoff: WebhookOptions['backoff'] = {}): WebhookSettings['backoff'] {
  const capMs = readNumber('backoff.capMs', backoff.capMs ?? 10_000, { max: maxTimeoutMs })
  const baseMs = readNumber('backoff.baseMs', backoff.baseMs ?? 500, { max: maxTimeoutMs })
  const factor = readNumber('backoff.factor', backoff.factor ?? 2, { min: 1, max: 1000 })
  const jitter = readNumber('backoff.jitter', backoff.jitter ?? 0.2, { max: 1 })
  return { delays: { baseMs, factor, capMs }, jitter, capMs }
}

function invalid(message: string): OuthookError {
  return new OuthookError('invalid_config', message)
}
