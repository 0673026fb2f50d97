/** What the server says of a member of a body or query, in the words of the command line: of the flag that was typed. */
import type { Command } from 'commander'
import { ApiError } from '../client/errors.ts'

/** How commands take a member, where that is not just its name with hyphens. The first that a command has is meant. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  topics: ['--topic'],
  topic_patterns: ['--topic'],
  headers: ['--header'],
  signing_schemes: ['--scheme'],
  rate_limit_rps: ['--rate-limit'],
  metadata: ['--meta'],
  credential_id: ['--credential'],
  client_certificate_id: ['--client-certificate'],
  // The one secret of a kind comes from a file.
  api_key: ['--secret-file'],
  token: ['--secret-file'],
  password: ['--secret-file'],
  header_value: ['--secret-file'],
  client_secret: ['--secret-file'],
  certificate: ['--certificate-file'],
  private_key: ['--private-key-file'],
  ca: ['--ca-file'],
  endpoint_id: ['--endpoint', '<endpoint>', '<url-or-endpoint>'],
  subscription_id: ['--subscription'],
  event_id: ['--event'],
  error_class: ['--error'],
  authorized_domains: ['--authorized-domain'],
  authorized_hosts: ['--authorized-host'],
  scopes: ['--scope'],
  abilities: ['--ability'],
  expires_at: ['--expires'],
  expires_in: ['--expires'],
  tenant_id: ['--tenant'],
  next_cursor: ['--cursor'],
  // Every command has --url for the address of its server.
  url: ['--to', '<endpoint-url>', '<url-or-endpoint>'],
  urls: ['--to', '<endpoint-url>'],
}

/** What a sentence of the server's begins with: `topics[1]`, `headers["x-a"]`, `retry_policy.delays`, `url`. */
const subject = /(?<=^|; )([a-z][a-z0-9_]*)((?:\[\d+\])?)((?:\.[^\s;]+|\["[^"]*"\])?)(?= )/g
/** Members elsewhere in it. The payload's own, and what stands in quotes, are the user's words. */
const mention =
  /(?<![\w."-])(?:[a-z]+(?:_[a-z]+)+|(?<=together with )topics|(?<=must be before )until)(?![\w"])/g
/** Headers that a command sends for a flag. */
const headers: Readonly<Record<string, string>> = {
  'Idempotency-Key': '--idempotency-key',
  'Outhook-Ordering-Key': '--ordering-key',
  'If-Match': '--if-match',
}
/** What the server calls them in the middle of a sentence. */
const keyInWords = /(?<=^|; )the (idempotency|ordering) key(?= (?:must|is|was))/g
const header = new RegExp(`(?<![\\w-])(?:${Object.keys(headers).join('|')})(?![\\w-])`, 'g')
/** A setting that only whoever starts the server can change, though this command may have a flag of its own. */
const serverSetting = /(?<!the server's )--(?:allow-(?:network|host|http|port)|deny-(?:network|host))\b/g

/** The error as it was, or a copy that names flags and arguments of this command. */
export function inFlags(error: unknown, command: Command): unknown {
  if (!(error instanceof ApiError) || ![400, 409, 413, 422].includes(error.status)) return error
  const about = error.code === 'url_rejected' ? nameOf('url', command) : null
  const detail = `${about === null ? '' : `${about}: `}${error.detail}`
    .replace(/(?<=^|; )settings\./g, '')
    .replace(serverSetting, "the server's $&")
    .replace(keyInWords, (words, which) => flagOf(`--${which}-key`, command) ?? words)
    .replace(header, (name) => flagOf(headers[name] ?? name, command) ?? name)
    .replace(subject, (whole, member, index, path) => {
      const name = nameOf(member, command)
      return name === null ? whole : `${name}${ordinal(index, name, command)}${within(path)}`
    })
    .replace(mention, (member) => nameOf(member, command) ?? member)
  if (detail === error.detail) return error
  const { status, code, title, retryAfterSeconds } = error
  return new ApiError({ status, code, title, detail, retryAfterSeconds })
}

function flagOf(flag: string, command: Command): string | null {
  return command.options.some(({ long }) => long === flag) ? flag : null
}

function nameOf(member: string, command: Command): string | null {
  const plain = member.replaceAll('_', '-')
  const names = otherNames[member] ?? [`--${plain}`, `<${plain}>`]
  const known = [
    ...command.options.map(({ long }) => long),
    ...command.registeredArguments.map((argument) => `<${argument.name()}>`),
  ]
  return names.find((name) => known.includes(name)) ?? null
}

/** Which one, of a flag that was given several times. */
function ordinal(index: string, flag: string, command: Command): string {
  const option = command.options.find(({ long }) => long === flag)
  const given: unknown = option && command.getOptionValue(option.attributeName())
  return index === '' || !Array.isArray(given) || given.length < 2
    ? ''
    : ` (number ${Number(index.slice(1, -1)) + 1})`
}

/** `.delays` as ` (delays)`, and `["x-a"]` as ` (x-a)`. */
function within(path: string): string {
  return path === '' ? '' : ` (${path.replace(/^\.|^\["|"\]$/g, '')})`
}
