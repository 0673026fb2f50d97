/**
 * The one place that decides what nobody keeps of an answer: the secrets that its request was made with, which receivers
 * repeat in their error pages. Those that the caller names (signing secrets, credentials, tokens), those that stand in the
 * URL, in its proxy's and in headers by their names, and the signatures.
 *
 * It is asked once for every attempt, so it costs little where nothing can be found: most answers have an empty body and
 * headers that say nothing of their own.
 */
import {
  HiddenSecrets,
  hasLongRun,
  hiddenText,
  hideSecrets,
  longRunIn,
  minSecretChars,
} from '../core/hidden-secrets.ts'
import type { CapturedResponse } from '../core/model.ts'
import type { AttemptRequest, AttemptResult, ProxyHop } from './port.ts'
import { isSecretName, partsOf, secretsOfHeader, secretsOfProxy, secretsOfUrl } from './request-secrets.ts'

/** What servers write of themselves in one form only. */
const plainValue =
  /^(?:[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT|keep-alive|close|chunked|timeout=\d{1,4}(?:, max=\d{1,6})?|(?:text|application)\/(?:plain|html|json|xml)(?:; ?charset=utf-8)?)$/i
const codingNames: ReadonlySet<string> = new Set(['content-encoding', 'transfer-encoding'])
const plainCoding = /^(?:identity|chunked)?$/i
const plainNumber = /^\d{1,7}$/
/** The heads read last: under load a receiver says the same again and again, and it is one object then. */
const heads: (Head | undefined)[] = []
const headSlots = 8
let nextSlot = 0
/** Those of HMACs with SHA-256, cut in half, are longer. */
const minSignatureChars = 20
/** Two signatures in one header are longer. */
const maxOneSignatureChars = 84
/** Longer names of headers are looked at too. */
const maxNameChars = 20
/** One that was cut off where it was too long for a capture is longer. */
const maxWholeHeaderChars = 1000
/** Of a body that grew by being hidden in. */
const maxShownBytes = 16_384

interface Head {
  readonly headers: CapturedResponse['headers']
  /** Names and values that could be anything, one per line. */
  readonly own: string
  readonly hasLongRun: boolean
  /** Nothing is found in a body of it, and nobody asks for it: requests do not say that they take it. */
  readonly isCompressed: boolean
}

/** @param via the proxy that the request went through */
export function redactResult(
  result: AttemptResult,
  request: AttemptRequest,
  via = request.destination.via,
): AttemptResult {
  if (result.kind === 'failure') {
    const error = hideSecrets(result.error, secretsOf(request, via))
    return error === result.error ? result : { ...result, error }
  }
  if (request.answerIsRead === true) return result
  const response = redactCapture(result.response, request, via)
  return response === result.response ? result : { ...result, response }
}

/** The same object where nothing of it was secret. */
export function redactCapture(
  response: CapturedResponse,
  request: AttemptRequest,
  via = request.destination.via,
): CapturedResponse {
  const head = readHead(response.headers)
  const text = response.body.length < minSecretChars ? '' : bytesOf(response.body).toString('latin1')
  if (head.own === '' && text === '') return response
  const answer = { head, text, isCut: response.truncated && text !== '' }
  if (text !== '' && head.isCompressed && secretsOf(request, via).some(({ isEmpty }) => !isEmpty)) {
    const unseen = { ...answer, text: hiddenText }
    return hideFound({ ...response, body: hiddenBody }, request, { via, answer: unseen })
  }
  const kept = hideFound(response, request, { via, answer })
  return text.includes('\0') && holdsWide(kept, request, via) ? { ...kept, body: hiddenBody } : kept
}

const hiddenBody = Buffer.from(hiddenText)

/** True: whoever reads the body as UTF-16 finds a secret in it. */
function holdsWide(
  { body, truncated }: CapturedResponse,
  request: AttemptRequest,
  via: ProxyHop | undefined,
): boolean {
  const narrow = bytesOf(body).toString('latin1').replaceAll('\0', '')
  return hideSecrets(narrow, secretsOf(request, via), { isCut: truncated }) !== narrow
}

function hideFound(
  response: CapturedResponse,
  request: AttemptRequest,
  { via, answer }: { readonly via: ProxyHop | undefined; readonly answer: Answer },
): CapturedResponse {
  const held = answer.isCut ? secretsOf(request, via) : secretsIn(request, via, answer)
  return held.length === 0 ? response : hideInCapture(response, { text: answer.text, secrets: held })
}

function readHead(headers: CapturedResponse['headers']): Head {
  for (const head of heads) if (head?.headers === headers) return head
  let own = ''
  for (const [name, value] of headers) {
    if (value.length >= minSecretChars && !isPlain(name, value)) own += `${value}\n`
    if (name.length > maxNameChars) own += `${name}\n`
  }
  const isCompressed = headers.some(([name, value]) => codingNames.has(name) && !plainCoding.test(value))
  const head = { headers, own, hasLongRun: hasLongRun(own), isCompressed }
  heads[nextSlot] = head
  nextSlot = (nextSlot + 1) % headSlots
  return head
}

function isPlain(name: string, value: string): boolean {
  return name === 'content-length' ? plainNumber.test(value) : plainValue.test(value)
}

interface Answer {
  readonly head: Head
  readonly text: string
  /** The body goes on where it was cut off. */
  readonly isCut: boolean
}

/** Those that may stand in the answer. Loops, because it is asked for each attempt. */
function secretsIn(
  request: AttemptRequest,
  via: ProxyHop | undefined,
  { head, text }: Answer,
): readonly HiddenSecrets[] {
  const isLong = hasLongRun(text)
  const found: HiddenSecrets[] = []
  forEachLasting(request, via, (secrets) => {
    if (secrets.mayStandIn(text, isLong) || secrets.mayStandIn(head.own, head.hasLongRun)) found.push(secrets)
  })
  if (mayRepeatSignature(request, { head, text })) found.push(secretsOfSignatures(request))
  return found
}

function secretsOf(request: AttemptRequest, via: ProxyHop | undefined): readonly HiddenSecrets[] {
  const found: HiddenSecrets[] = []
  forEachLasting(request, via, (secrets) => found.push(secrets))
  return [...found, secretsOfSignatures(request)]
}

/** Those that are the same for many attempts. */
function forEachLasting(
  request: AttemptRequest,
  via: ProxyHop | undefined,
  tell: (secrets: HiddenSecrets) => void,
): void {
  const { headers, destination, signatures, credentialHeaders, secrets } = request
  if (secrets !== undefined) for (const each of secrets) tell(each)
  tell(secretsOfUrl(destination.url))
  if (via !== undefined) tell(secretsOfProxy(via))
  for (const name in headers) {
    if (!isSecretName(name) || signatures?.[name] !== undefined) continue
    if (credentialHeaders?.[name] === undefined) tell(secretsOfHeader(headers[name] ?? ''))
  }
}

/** They are other ones each time, so nothing is worked out before. */
function mayRepeatSignature({ signatures }: AttemptRequest, { head, text }: Omit<Answer, 'isCut'>): boolean {
  const stands = (signature: string) => {
    const run = longRunIn(signature)
    return text.includes(run) || head.own.includes(run)
  }
  for (const name in signatures) {
    const value = signatures[name] ?? ''
    if (value.length < minSignatureChars) continue
    const isOne = value.length <= maxOneSignatureChars
    if (isOne ? stands(value) : partsOf(value, minSignatureChars).some(stands)) return true
  }
  return false
}

/** Schemes repeat ids and the topic in headers of their own; these are no secrets. */
function secretsOfSignatures({ signatures = {}, headers }: AttemptRequest): HiddenSecrets {
  const shown = [headers['outhook-event-id'], headers['outhook-delivery-id'], headers['outhook-topic']]
  const texts = Object.values(signatures)
    .flatMap((value) => partsOf(value, minSignatureChars))
    .filter((text) => !shown.includes(text))
  return new HiddenSecrets(texts, { isEncoded: true })
}

function hideInCapture(
  response: CapturedResponse,
  { text, secrets }: { readonly text: string; readonly secrets: readonly HiddenSecrets[] },
): CapturedResponse {
  const { body, truncated } = response
  const shown = hideSecrets(text, secrets, { isCut: truncated && text !== '' })
  let isChanged = shown !== text
  const headers = response.headers.map(([name, value]) => {
    if (isPlain(name, value)) return [name, value] as const
    const hidden = hideSecrets(value, secrets, { isCut: value.length > maxWholeHeaderChars })
    const hiddenName = hideSecrets(name, secrets)
    isChanged ||= hidden !== value || hiddenName !== name
    return [hiddenName, hidden] as const
  })
  if (!isChanged) return response
  const most = Math.max(body.length, maxShownBytes)
  const bytes = shown === text ? body : Buffer.from(shown, 'latin1')
  return { headers, body: bytes.subarray(0, most), truncated: truncated || bytes.length > most }
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
