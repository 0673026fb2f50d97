/**
 * Why a captured request does not verify. The signature itself tells: what would have to be changed on the body, the
 * secret or the way that it is made a key, until it matches?
 */
import { type BodyChange, bodyVariants } from './body-variants.ts'
import { type Bytes, bodyBytes, isSame, type RawBody } from './bytes.ts'
import { currentSeconds } from './clock.ts'
import { VerificationError } from './errors.ts'
import type { HeadersInput } from './headers.ts'
import { readHeader } from './headers.ts'
import type { Claim, Scheme } from './schemes/scheme.ts'
import { type SecretChange, secretVariants } from './secret-variants.ts'
import { importSecret } from './secrets.ts'
import { type SchemeName, schemes } from './verifier.ts'

export type Cause =
  | 'not_signed'
  | 'malformed_header'
  | 'secret_form'
  | 'body_encoding'
  | 'body_changed'
  | 'wrong_secret'
  | 'wrong_secret_or_body'
  | 'clock'

export interface Finding {
  readonly cause: Cause
  readonly message: string
}

export interface Diagnosis {
  /** Null where no header of a scheme is there. */
  readonly scheme: SchemeName | null
  /** Whether it verifies now, as it was captured. */
  readonly verifies: boolean
  /** Whether the signature is right, whatever the clock says. */
  readonly isSigned: boolean
  /** When it was signed, seconds since the epoch. */
  readonly timestampSeconds: number | null
  /** Empty when it verifies. */
  readonly findings: readonly Finding[]
}

export interface DiagnosisInput {
  readonly headers: HeadersInput
  readonly body: RawBody
  readonly secrets: readonly string[]
  /** What the sender says that it sent, if that is known: tells a changed body from a wrong secret. */
  readonly originalBody?: RawBody | undefined
  /** Found from the headers unless given. */
  readonly scheme?: SchemeName | undefined
  readonly toleranceSeconds?: number | undefined
  /** When the receiver got it, seconds since the epoch. Default now. */
  readonly receivedAtSeconds?: number | undefined
}

/**
 * @example
 * const { findings } = await diagnose({ headers, body, secrets: ['whsec_…'] })
 * for (const { message } of findings) console.log(message)
 */
export async function diagnose(input: DiagnosisInput): Promise<Diagnosis> {
  const name = input.scheme ?? schemeOf(input.headers)
  if (name === null) {
    const known = Object.entries(schemes).map(
      ([scheme, { signatureHeader }]) => `${signatureHeader} (${scheme})`,
    )
    const message = `no header holds a signature; there should be one of ${known.join(', ')}`
    return unsigned(null, { cause: 'not_signed', message })
  }
  let claim: Claim
  try {
    claim = schemes[name].read(input.headers)
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    const cause = error.code === 'missing_header' ? 'not_signed' : 'malformed_header'
    return unsigned(name, { cause, message: error.message })
  }
  const signature = await explainSignature(input, schemes[name], claim)
  const clock = explainClock(claim, input)
  const findings = [...signature, ...clock]
  return {
    scheme: name,
    verifies: findings.length === 0,
    isSigned: signature.length === 0,
    timestampSeconds: claim.timestampSeconds,
    findings,
  }
}

function unsigned(scheme: SchemeName | null, finding: Finding): Diagnosis {
  return { scheme, verifies: false, isSigned: false, timestampSeconds: null, findings: [finding] }
}

function schemeOf(headers: HeadersInput): SchemeName | null {
  const names = Object.keys(schemes) as SchemeName[]
  const found = names.find((name) => readHeader(headers, schemes[name].signatureHeader) !== '')
  return found ?? (readHeader(headers, 'svix-signature') !== '' ? 'standard' : null)
}

async function explainSignature(input: DiagnosisInput, scheme: Scheme, claim: Claim): Promise<Finding[]> {
  const keys = await Promise.all(
    secretVariants(input.secrets, scheme.secretForm).map(async ({ secret, change }) => ({
      ready: await importSecret(secret),
      change,
    })),
  )
  const body = bodyBytes(input.body)
  const original = input.originalBody === undefined ? null : bodyBytes(input.originalBody)
  // The likely ones first: one change alone before two at once.
  const bodies = [
    ...bodyVariants(body),
    ...(original === null ? [] : [{ body: original, change: 'original' as const }]),
  ]
  const pairs = bodies.flatMap((candidate) => keys.map((key) => ({ ...candidate, key })))
  const changes = ({ change, key }: (typeof pairs)[number]) =>
    Number(change !== null) + Number(key.change !== null)
  for (const pair of pairs.sort((a, b) => changes(a) - changes(b))) {
    if (await matches(claim, pair.key.ready, pair.body)) {
      return [...tellSecret(pair.key.change), ...tellBody(pair.change, body, pair.body)]
    }
  }
  return [tellNoMatch(body, original, claim)]
}

async function matches(
  claim: Claim,
  { kind, key }: Awaited<ReturnType<typeof importSecret>>,
  body: Bytes,
): Promise<boolean> {
  const signatures = claim.signatures.filter((signature) => signature.kind === kind)
  for (const message of claim.messages(body)) {
    for (const { bytes } of signatures) {
      const isMatch =
        kind === 'hmac'
          ? isSame(bytes, new Uint8Array(await crypto.subtle.sign('HMAC', key, message)))
          : await crypto.subtle.verify('Ed25519', key, bytes, message)
      if (isMatch) return true
    }
  }
  return false
}

const secretMessages: Readonly<Record<SecretChange, string>> = {
  trimmed:
    'the secret has a space, a line break or quotation marks around it; cut them off where the receiver reads it',
  prefix_needed:
    'in this scheme the whole text of the secret is the key, "whsec_" included, and the receiver’s lacks it; use the secret as it was shown',
  prefix_is_text:
    'the sender’s key is the text of the secret, not what its base64 stands for; take the secret as text for this sender',
  decoded:
    'the sender’s key is what the base64 behind "whsec_" stands for; decode it where the receiver makes the key',
  url_alphabet:
    'the secret is written in the alphabet of base64url ("-", "_"); it has to be plain base64 ("+", "/")',
  padding: 'the secret lacks the "=" at its end, or has too many; use it as it was shown',
}

function tellSecret(change: SecretChange | null): Finding[] {
  return change === null ? [] : [{ cause: 'secret_form', message: secretMessages[change] }]
}

const bodyMessages: Readonly<Record<BodyChange, string>> = {
  newline_added: 'a line break was added behind the body; verify the bytes as they came',
  newline_removed: 'a line break at the end of the body was cut off; verify the bytes as they came',
  bom_added: 'a byte order mark was put before the body; verify the bytes as they came',
  bom_removed: 'the byte order mark before the body was cut off; verify the bytes as they came',
  crlf: 'the line breaks of the body were changed from LF to CRLF, or the other way; keep it as bytes, not as a text file',
  reserialized:
    'the body was parsed as JSON and written again, which gave other bytes; verify the raw body, before any JSON parser',
  encoding:
    'the body’s characters were read in one encoding and written in another (UTF-8 as Latin-1); keep it as bytes, or read it as UTF-8',
  base64: 'the body is still base64, as gateways hand it over; decode it before verifying',
  percent: 'the body is percent-encoded as in a form; decode it before verifying',
  quoted: 'the body is a JSON string that holds the real body; take the text out of it before verifying',
  empty: 'the body was empty when it was sent, and something filled it in since',
}

function tellBody(change: BodyChange | 'original' | null, body: Bytes, sent: Bytes): Finding[] {
  if (change === null) return []
  if (change !== 'original') return [{ cause: 'body_encoding', message: bodyMessages[change] }]
  return [{ cause: 'body_changed', message: tellDifference(body, sent) }]
}

function tellNoMatch(body: Bytes, original: Bytes | null, { signatures }: Claim): Finding {
  const many = signatures.length === 1 ? 'the signature' : `none of the ${signatures.length} signatures`
  const verb = signatures.length === 1 ? 'does not match' : 'matches'
  if (original === null) {
    return {
      cause: 'wrong_secret_or_body',
      message:
        `${many} ${verb}, nor with any usual change of the body or of the secret: the secret is another endpoint’s or ` +
        'an old one, or the content of the body was changed. What the sender sent tells which',
    }
  }
  if (!isSame(body, original)) {
    return {
      cause: 'wrong_secret',
      message: `${many} ${verb}, neither with the captured body nor with the one that was sent: the secret is wrong. Besides, ${tellDifference(body, original)}`,
    }
  }
  return {
    cause: 'wrong_secret',
    message: `the body is what was sent, and ${many} ${verb}: the secret is another endpoint’s, or an old one`,
  }
}

function tellDifference(body: Bytes, sent: Bytes): string {
  const at = body.findIndex((byte, index) => byte !== sent[index])
  const first = at === -1 ? Math.min(body.length, sent.length) : at
  return `the body was changed on its way: it differs from byte ${first + 1} on (${body.length} bytes, ${sent.length} were sent)`
}

function explainClock({ timestampSeconds }: Claim, input: DiagnosisInput): Finding[] {
  const { toleranceSeconds = 300, receivedAtSeconds = currentSeconds() } = input
  if (timestampSeconds === null) return []
  const age = receivedAtSeconds - timestampSeconds
  if (Math.abs(age) <= toleranceSeconds) return []
  const when = new Date(timestampSeconds * 1000).toISOString().replace('.000Z', 'Z')
  const message =
    age > 0
      ? `it was signed at ${when}, ${age} s before it is verified, and receivers allow ${toleranceSeconds} s: if it came then, that is only its age; otherwise it was repeated or a clock is wrong`
      : `it was signed at ${when}, ${-age} s in the future, and receivers allow ${toleranceSeconds} s: the receiver’s clock is slow or the sender’s fast`
  return [{ cause: 'clock', message }]
}
