/**
 * Public keys of an endpoint, fetched from where its sender serves them: its receiver keeps no secret, and follows each
 * rotation by itself.
 */
import { decodeBase64 } from './bytes.ts'
import { currentSeconds } from './clock.ts'
import { VerifierUsageError } from './errors.ts'

export interface PublicKeysOptions {
  /** How long what was fetched is taken as it is. Default 60. */
  readonly maxAgeSeconds?: number
  /** Of one request. Default 5. */
  readonly timeoutSeconds?: number
  /** Default: the runtime's. */
  readonly fetch?: FetchKeys
  /** Whole seconds since the epoch; the system's clock unless given. */
  readonly now?: () => number
}

/** What of `fetch` is used. */
export type FetchKeys = (
  url: string,
  init: {
    readonly headers: Readonly<Record<string, string>>
    readonly redirect: 'error'
    readonly signal: AbortSignal
  },
) => Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<unknown> }>

/** Given to a verifier as its `secrets`. */
export interface PublicKeys {
  (): Promise<readonly string[]>
  /** What is served now, for a signature that none of the known keys has made; null: that was asked a moment ago. */
  refresh(): Promise<readonly string[] | null>
}

const defaultMaxAgeSeconds = 60
const defaultTimeoutSeconds = 5
/** So that whoever sends forged requests does not make the receiver ask each time. */
const minBetweenSeconds = 5
/** While the sender cannot be asked, keys are taken that are no older than this. */
const maxStaleSeconds = 3600

/**
 * The public keys that a URL serves: `https://<server>/v1/endpoints/<id>/public-keys`, or any JSON Web Key Set with
 * ed25519 keys (RFC 8037). They are fetched for the first request, again when they are old, and once more when a
 * signature is of none of them, as after a rotation without a grace period.
 * Errors, when a request is verified: VerifierUsageError `keys_unavailable`, to be answered with 5xx, so that the sender
 * tries again.
 *
 * @example
 * const verifier = createVerifier({ secrets: publicKeysAt('https://hooks.example/v1/endpoints/ep_…/public-keys') })
 */
export function publicKeysAt(url: string | URL, options: PublicKeysOptions = {}): PublicKeys {
  const { maxAgeSeconds = defaultMaxAgeSeconds, now = currentSeconds } = options
  let known: { readonly keys: readonly string[]; readonly at: number } | null = null
  let askedAt: number | null = null
  let asking: Promise<readonly string[]> | null = null

  const ask = (): Promise<readonly string[]> => {
    askedAt = now()
    asking ??= fetchKeys(String(url), options)
      .then((keys) => {
        known = { keys, at: now() }
        return keys
      })
      .finally(() => {
        asking = null
      })
    return asking
  }
  // A clock that was put back makes nothing young.
  const isWithin = (seconds: number, since: number | null) =>
    since !== null && Math.abs(now() - since) < seconds

  const current = async (): Promise<readonly string[]> => {
    const before = known
    if (before === null) return ask()
    if (isWithin(maxAgeSeconds, before.at)) return before.keys
    const mayServe = isWithin(maxStaleSeconds, before.at)
    if (mayServe && asking === null && isWithin(minBetweenSeconds, askedAt)) return before.keys
    return mayServe ? ask().catch(() => before.keys) : ask()
  }
  const refresh = async (): Promise<readonly string[] | null> => {
    if (asking === null && isWithin(minBetweenSeconds, askedAt)) return null
    return ask().catch(() => null)
  }
  return Object.assign(current, { refresh })
}

async function fetchKeys(
  url: string,
  { timeoutSeconds = defaultTimeoutSeconds, fetch = globalThis.fetch }: PublicKeysOptions,
): Promise<readonly string[]> {
  let answer: unknown
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    })
    if (!response.ok) throw new Error(`it answered HTTP ${response.status}`)
    answer = await response.json()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw unavailable(url, reason, error)
  }
  const keys = readKeys(answer)
  if (keys.length === 0) throw unavailable(url, 'its answer holds no ed25519 key', undefined)
  return keys
}

/** Of a key set, the ed25519 keys as `whpk_…`; keys of other kinds are for other verifiers. */
function readKeys(answer: unknown): readonly string[] {
  const { keys } = (typeof answer === 'object' && answer !== null ? answer : {}) as {
    readonly keys?: unknown
  }
  return (Array.isArray(keys) ? keys : []).flatMap((key: unknown) => {
    const { kty, crv, x } = (key ?? {}) as Readonly<Record<string, unknown>>
    if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') return []
    const encoded = `${x.replaceAll('-', '+').replaceAll('_', '/')}=`
    return decodeBase64(encoded)?.length === 32 ? [`whpk_${encoded}`] : []
  })
}

function unavailable(url: string, reason: string, cause: unknown): VerifierUsageError {
  return new VerifierUsageError('keys_unavailable', `no public keys from ${shownUrl(url)}: ${reason}`, {
    cause,
  })
}

/** Without what may be secret in it. */
function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'a URL that is none'
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
