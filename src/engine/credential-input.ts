/** What a caller says of a credential, and what its members may be. Errors name the member and never repeat a secret. */
import { certificateProblem, privateKeyProblem } from '../core/certificate.ts'
import {
  type CredentialKind,
  type CredentialSecrets,
  type CredentialSettings,
  credentialKinds,
  maxAuthorizedHosts,
  membersOfKind,
  type TokenAuthStyle,
  tokenAuthStyles,
} from '../core/credential.ts'
import { headerNameProblem, headerValueProblem } from '../core/custom-headers.ts'
import { type ErrorCode, OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { isWithin, limits } from '../core/model.ts'
import { checkText } from '../core/text.ts'
import { readHosts } from './host-list.ts'

export interface CredentialInput extends CredentialContent {
  /** 1 to 200 characters, unique in its tenant. */
  readonly name: string
  readonly kind: CredentialKind
  readonly description?: string
  /** False: requests that need it are not made, and wait. Default true. */
  readonly active?: boolean
  /**
   * Hosts that it may be sent to, such as `example.com`; each stands for all below it too. Null, the default: any that
   * its tenant's requests may go to.
   */
  readonly authorizedHosts?: readonly string[] | null
}

/** Which members there are depends on the kind. */
export interface CredentialContent {
  /** `api_key` (default `X-API-Key`) and `custom_header`. */
  readonly headerName?: string
  /** `api_key`: the value of the header. */
  readonly apiKey?: string
  /** `bearer`. */
  readonly token?: string
  /** `basic`. */
  readonly username?: string
  readonly password?: string
  /** `custom_header`. */
  readonly headerValue?: string
  /** `oauth2_client_credentials`: where tokens are fetched. The rules are those of an endpoint's URL. */
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly clientSecret?: string
  /** Scopes with spaces between them. */
  readonly scope?: string
  readonly audience?: string
  /** Client and secret as HTTP Basic (the default), or in the form: `'body'`. */
  readonly authStyle?: TokenAuthStyle
  /** `client_certificate`: PEM, with the chain that the receiver may need; together with its key. */
  readonly certificate?: string
  /** PEM, not encrypted. */
  readonly privateKey?: string
  /** Of any kind: the authorities that the receiver's certificate may be of, instead of the well-known ones. PEM. */
  readonly ca?: string
}

/** The kind stays; secrets that are given replace those that were there. */
export type CredentialChange = Partial<Omit<CredentialInput, 'kind'>>

const contentMembers = {
  headerName: true,
  apiKey: true,
  token: true,
  username: true,
  password: true,
  headerValue: true,
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  scope: true,
  audience: true,
  authStyle: true,
  certificate: true,
  privateKey: true,
  ca: true,
} satisfies Record<keyof CredentialContent, true>

const common = { name: true, description: true, active: true, authorizedHosts: true } as const
export const credentialMembers: Readonly<Record<string, true>> = { ...common, kind: true, ...contentMembers }
export const credentialChangeMembers: Readonly<Record<string, true>> = { ...common, ...contentMembers }

const maxNameChars = 200
/** Of one member. Headers of 8 KiB are about what servers take. */
const maxSecretChars = 8000
const maxUsernameChars = 255
const maxClientChars = 2000
const maxPemChars = 32_768

export function checkCredentialName(name: unknown, code: ErrorCode = 'unprocessable'): string {
  checkText(name, 'name')
  if (typeof name === 'string' && name !== '' && isWithin(name, maxNameChars)) return name
  throw new OuthookError(code, `name must be 1 to ${maxNameChars} characters`)
}

export function checkCredentialKind(kind: unknown): CredentialKind {
  const known = credentialKinds.find((each) => each === kind)
  if (known !== undefined) return known
  throw new OuthookError('unprocessable', `kind must be one of ${credentialKinds.join(', ')}`)
}

export function checkActive(active: unknown): boolean {
  if (typeof active === 'boolean') return active
  throw new OuthookError('unprocessable', 'active must be true or false')
}

/** An empty list would be one that nothing passes or one that all pass, as who reads it thinks. */
export function checkAuthorizedHosts(hosts: unknown, member: string): readonly string[] | null {
  if (hosts === null) return null
  if (Array.isArray(hosts) && hosts.length > 0 && hosts.length <= maxAuthorizedHosts) {
    return readHosts(hosts, member)
  }
  throw new OuthookError(
    'unprocessable',
    `${member} must be a list of 1 to ${maxAuthorizedHosts} hosts, or null for any`,
  )
}

export interface ReadContent {
  readonly settings: CredentialSettings
  /** Null: none is given, which only a change may do. */
  readonly secrets: CredentialSecrets | null
}

/**
 * The content that is given, checked.
 *
 * @param isNew it is made just now, so that everything that its kind needs has to be given
 */
export function readContent(
  kind: CredentialKind,
  given: CredentialContent,
  { isNew, words }: { readonly isNew: boolean; readonly words: FaceWords },
): ReadContent {
  const { settings, optional, secrets } = membersOfKind[kind]
  const name = (member: string) => words.member(snakeCase(member))
  const known: readonly string[] = [...settings, ...optional, ...secrets]
  const foreign = Object.keys(contentMembers).find(
    (member) => given[member as keyof CredentialContent] !== undefined && !known.includes(member),
  )
  if (foreign !== undefined) {
    const members = known.length === 0 ? 'it has none' : `it has ${known.map(name).join(', ')}`
    throw new OuthookError('unprocessable', `${name(foreign)} is no member of the kind ${kind}; ${members}`)
  }
  const read: Record<string, string> = {}
  for (const member of known) {
    const value = (given as Readonly<Record<string, unknown>>)[member]
    if (value !== undefined) read[member] = checkMember(member, value, name(member))
  }
  const missing = [...settings, ...secrets].find((member) => read[member] === undefined)
  if (isNew && missing !== undefined) {
    throw new OuthookError('unprocessable', `${name(missing)} is missing; the kind ${kind} needs it`)
  }
  if (kind === 'client_certificate') checkPair(read, name)
  const pick = (members: readonly string[]) =>
    Object.fromEntries(members.filter((each) => read[each] !== undefined).map((each) => [each, read[each]]))
  const givesSecret = secrets.some((member) => read[member] !== undefined)
  return {
    settings: pick([...settings, ...optional]),
    secrets: givesSecret || isNew ? pick(secrets) : null,
  }
}

/** One without the other would be a pair that no receiver takes. */
function checkPair(
  { certificate, privateKey }: Readonly<Record<string, string>>,
  name: (member: string) => string,
) {
  if (certificate === undefined && privateKey === undefined) return
  if (certificate === undefined || privateKey === undefined) {
    throw refused(name('certificate'), `and ${name('privateKey')} are given together`)
  }
  const problem = privateKeyProblem(certificate, privateKey)
  if (problem !== null) throw refused(name('privateKey'), problem)
}

function checkMember(member: string, value: unknown, shown: string): string {
  if (typeof value !== 'string' || value === '') throw refused(shown, 'must be text that is not empty')
  const problem = problemOf(member, value)
  if (problem !== null) throw refused(shown, problem)
  return value
}

function problemOf(member: string, value: string): string | null {
  switch (member) {
    case 'headerName':
      return value.length > 128 ? 'must have at most 128 characters' : headerNameProblem(value)
    case 'username':
      return value.includes(':') ? 'must not hold a colon' : lineProblem(value, maxUsernameChars)
    case 'password':
      return lineProblem(value, maxSecretChars)
    case 'certificate':
    case 'ca':
      return value.length > maxPemChars
        ? `must have at most ${maxPemChars} characters`
        : certificateProblem(value)
    case 'privateKey':
      return value.length > maxPemChars ? `must have at most ${maxPemChars} characters` : null
    case 'authStyle':
      return (tokenAuthStyles as readonly string[]).includes(value)
        ? null
        : `must be ${tokenAuthStyles.join(' or ')}`
    case 'tokenUrl':
      return lineProblem(value, limits.maxUrlChars)
    case 'clientId':
    case 'clientSecret':
    case 'scope':
    case 'audience':
      return lineProblem(value, maxClientChars)
    case 'token':
      return tokenPattern.test(value) ? tooLong(value) : 'must be visible ASCII without spaces'
    default:
      return headerValueProblem(value) ?? tooLong(value)
  }
}

const tokenPattern = /^[\x21-\x7e]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
const controls = /[\0-\x1f\x7f-\x9f]/

function lineProblem(value: string, maxChars: number): string | null {
  if (controls.test(value) || !value.isWellFormed()) {
    return 'must be well-formed text without control characters'
  }
  return isWithin(value, maxChars) ? null : `must have at most ${maxChars} characters`
}

function tooLong(value: string): string | null {
  return value.length > maxSecretChars ? `must have at most ${maxSecretChars} characters` : null
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
