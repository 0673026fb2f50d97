/** Tells a request that was signed with a receiver's secret from any other. */
import { type Bytes, bodyBytes, isSame, type RawBody } from './bytes.ts'
import { currentSeconds } from './clock.ts'
import { NoMatchError, TimestampError, VerifierUsageError } from './errors.ts'
import { type HmacForm, hmacForms } from './forms/hmac-form.ts'
import type { HeadersInput } from './headers.ts'
import type { PublicKeys } from './public-keys.ts'
import { githubScheme } from './schemes/github.ts'
import { hmacScheme } from './schemes/hmac.ts'
import { hookrailScheme } from './schemes/hookrail.ts'
import { pyflyScheme } from './schemes/pyfly.ts'
import type { Claim, Scheme } from './schemes/scheme.ts'
import { standardScheme } from './schemes/standard.ts'
import { stripeScheme } from './schemes/stripe.ts'
import { decodeSecret, importSecret, type ReadySecret } from './secrets.ts'

export const schemes = {
  standard: standardScheme,
  hookrail: hookrailScheme,
  pyfly: pyflyScheme,
  github: githubScheme,
  stripe: stripeScheme,
  shopify: hmacScheme(hmacForms.shopify),
  slack: hmacScheme(hmacForms.slack),
} as const satisfies Readonly<Record<string, Scheme>>

/** How the sender signs; each has headers of its own. */
export type SchemeName = keyof typeof schemes

/** What is left out: no prefix, `hex`, the body alone, no further headers, one signature. */
export type HmacScheme = Pick<HmacForm, 'header'> & Partial<HmacForm>

export type Secrets = string | readonly string[]

export interface VerifierOptions {
  /**
   * As the sender shows them; any of them will do, so give the old and the new one while one is being exchanged. A
   * function is asked for each request, for secrets that are kept elsewhere. `publicKeysAt(url)` is those that the
   * sender serves.
   */
  readonly secrets: Secrets | (() => Secrets | Promise<Secrets>) | PublicKeys
  /** Default `standard`. An object is the form of an HMAC of the sender's own. */
  readonly scheme?: SchemeName | HmacScheme
  /**
   * How far the time of signing may be from now, either way. Default 300. The schemes github, pyfly and shopify sign no
   * time.
   */
  readonly toleranceSeconds?: number
  /** Whole seconds since the epoch; the system's clock unless given. */
  readonly now?: () => number
}

export interface SignedRequest {
  readonly headers: HeadersInput
  /** The bytes as they came over the wire. What was parsed and written again is other bytes. */
  readonly body: RawBody
}

/** A request that is what its sender signed. */
export interface VerifiedWebhook {
  /** `hmac` where the receiver described it. */
  readonly scheme: SchemeName | 'hmac'
  /**
   * To tell repetitions by: `webhook-id` (the event) in the scheme `standard`, the delivery's id in `hookrail`, null in
   * the schemes that sign none.
   */
  readonly id: string | null
  /** When this attempt was signed; null where no time is signed. */
  readonly timestamp: Date | null
  /** The exact bytes. */
  readonly body: Uint8Array
  text(): string
  /** Throws a SyntaxError if the body is no JSON. */
  json<T = unknown>(): T
}

export interface Verifier {
  /**
   * Errors: VerificationError for a request that is not to be trusted, VerifierUsageError for a mistake of the receiver.
   */
  verify(request: SignedRequest): Promise<VerifiedWebhook>
}

const defaultToleranceSeconds = 300
/** Of keys that were made ready; rotation needs a few, and a function that gives others each time must not fill memory. */
const maxKeptKeys = 100

/**
 * Make it once and keep it: it keeps the keys ready.
 *
 * @example
 * const verifier = createVerifier({ secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
 * const webhook = await verifier.verify({ headers: request.headers, body: rawBody })
 * console.log(webhook.id, webhook.json())
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { toleranceSeconds = defaultToleranceSeconds, now = currentSeconds } = options
  const { name, scheme } = readScheme(options.scheme ?? 'standard')
  if (!(toleranceSeconds >= 0)) {
    throw new VerifierUsageError('invalid_option', 'toleranceSeconds must be a number that is not negative')
  }
  const keys = createKeyring(scheme)
  const { secrets } = options
  if (typeof secrets !== 'function') checkSecrets(secrets, scheme)
  return {
    async verify(request) {
      const body = bodyBytes(request.body)
      const claim = scheme.read(request.headers)
      checkTime(claim, now(), toleranceSeconds)
      const given = typeof secrets === 'function' ? await secrets() : secrets
      const isSignedWith = async (some: Secrets) =>
        hasMatch(claim, body, await keys(checkSecrets(some, scheme)))
      if (await isSignedWith(given)) return verified(name, claim, body)
      const renewed = typeof secrets === 'function' && 'refresh' in secrets ? await secrets.refresh() : null
      if (renewed === null || !(await isSignedWith(renewed))) throw new NoMatchError()
      return verified(name, claim, body)
    },
  }
}

/** One request, with secrets that are used once. Otherwise keep a verifier. */
export async function verify(request: SignedRequest, options: VerifierOptions): Promise<VerifiedWebhook> {
  return createVerifier(options).verify(request)
}

function readScheme(given: SchemeName | HmacScheme): { name: VerifiedWebhook['scheme']; scheme: Scheme } {
  if (typeof given === 'object' && given !== null) {
    const plain: HmacForm = { ...hmacForms.github, prefix: '', ...given }
    return { name: 'hmac', scheme: hmacScheme(plain) }
  }
  if (Object.hasOwn(schemes, given)) return { name: given, scheme: schemes[given] }
  const known = Object.keys(schemes).join(', ')
  throw new VerifierUsageError('invalid_option', `there is no scheme "${String(given)}"; they are ${known}`)
}

function checkSecrets(secrets: Secrets, scheme: Scheme): readonly string[] {
  const list = typeof secrets === 'string' || !Array.isArray(secrets) ? [secrets as string] : secrets
  if (list.length === 0) throw new VerifierUsageError('invalid_secret', 'there is no secret to verify with')
  for (const secret of list) decodeSecret(secret, scheme.secretForm)
  return list
}

function createKeyring(scheme: Scheme): (secrets: readonly string[]) => Promise<readonly ReadySecret[]> {
  const kept = new Map<string, Promise<ReadySecret>>()
  const keyOf = (secret: string): Promise<ReadySecret> => {
    const known = kept.get(secret)
    if (known !== undefined) return known
    if (kept.size >= maxKeptKeys) kept.clear()
    const made = importSecret(decodeSecret(secret, scheme.secretForm))
    kept.set(secret, made)
    return made
  }
  return (secrets) => Promise.all(secrets.map(keyOf))
}

function checkTime({ timestampSeconds }: Claim, nowSeconds: number, toleranceSeconds: number): void {
  if (timestampSeconds === null || Math.abs(nowSeconds - timestampSeconds) <= toleranceSeconds) return
  throw new TimestampError({ timestampSeconds, nowSeconds, toleranceSeconds })
}

/** Every secret is tried over every signature, so that how long it takes says nothing of which one matched. */
async function hasMatch(claim: Claim, body: Bytes, secrets: readonly ReadySecret[]): Promise<boolean> {
  let isMatch = false
  for (const message of claim.messages(body)) {
    for (const { kind, key } of secrets) {
      const signatures = claim.signatures.filter((signature) => signature.kind === kind)
      if (kind === 'hmac') {
        const expected = new Uint8Array(await crypto.subtle.sign('HMAC', key, message))
        for (const { bytes } of signatures) isMatch = isSame(bytes, expected) || isMatch
      } else {
        for (const { bytes } of signatures) {
          isMatch = (await crypto.subtle.verify('Ed25519', key, bytes, message)) || isMatch
        }
      }
    }
  }
  return isMatch
}

function verified(
  scheme: VerifiedWebhook['scheme'],
  { id, timestampSeconds }: Claim,
  body: Bytes,
): VerifiedWebhook {
  const text = () => new TextDecoder().decode(body)
  return {
    scheme,
    id,
    timestamp: timestampSeconds === null ? null : new Date(timestampSeconds * 1000),
    body,
    text,
    json: <T>() => JSON.parse(text()) as T,
  }
}
