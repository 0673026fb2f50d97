/** A scheme made of the description of its HMAC, for receivers of those that have no file of their own here. */
import { type Bytes, decodeBase64, decodeHex, joinBytes, toBytes } from '../bytes.ts'
import { MalformedHeaderError, VerifierUsageError } from '../errors.ts'
import { fillTemplate, type HmacForm, messageParts } from '../forms/hmac-form.ts'
import { readSeconds, requireHeader } from '../headers.ts'
import { maxSignatures, type Scheme } from './scheme.ts'

const hmacBytes = 32
/** Goes with every request of Outhook, so a form that signs the id need not send it once more. */
const idHeader = 'outhook-event-id'

export function hmacScheme(form: HmacForm): Scheme {
  if (!form.message.includes('{body}')) {
    throw new VerifierUsageError('invalid_option', 'scheme.message does not hold "{body}"')
  }
  const header = form.header.toLowerCase()
  const { head, tail } = messageParts(form)
  const isTimed = [form.message, form.prefix, ...Object.values(form.headers)].some((text) =>
    text.includes('{timestamp}'),
  )
  return {
    secretForm: 'text',
    signatureHeader: header,
    read(headers) {
      const found = new Map<string, string>()
      for (const [name, template] of Object.entries(form.headers)) {
        if (take(requireHeader(headers, name), { template, header: name, found }) !== '') throw formless(name)
      }
      const list = take(requireHeader(headers, header), { template: form.prefix, header, found })
      const texts = form.next === null ? [list] : list.split(form.next)
      if (texts.length > maxSignatures) {
        throw new MalformedHeaderError(header, `has more than ${maxSignatures} signatures`)
      }
      const signsId = form.message.includes('{id}')
      const id = found.get('id') ?? (signsId ? requireHeader(headers, idHeader) : '')
      if (signsId && !/^[\w-]+$/.test(id)) throw formless(idHeader)
      const timestamp = found.get('timestamp') ?? ''
      const values = { id, timestamp }
      const before = toBytes(fillTemplate(head, values))
      const after = toBytes(fillTemplate(tail, values))
      return {
        id: signsId ? id : null,
        timestampSeconds: isTimed ? readSeconds(timestamp, header) : null,
        signatures: texts.map((text) => ({ kind: 'hmac', bytes: decodeSignature(text, form, header) })),
        messages: (body) => [joinBytes(before, body, after)],
      }
    },
  }
}

interface Taking {
  readonly template: string
  readonly header: string
  readonly found: Map<string, string>
}

/**
 * What comes after the template, whose values are kept. An id has letters, digits, "_" and "-" alone: with other
 * characters its end could be moved into what is signed next to it.
 */
function take(value: string, { template, header, found }: Taking): string {
  const names: string[] = []
  const pattern = template
    .split(/(\{(?:id|timestamp)\})/)
    .map((part) => {
      if (part !== '{id}' && part !== '{timestamp}') return part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
      names.push(part.slice(1, -1))
      return part === '{id}' ? '([\\w-]+)' : '(\\d{1,12})'
    })
    .join('')
  const match = new RegExp(`^${pattern}`).exec(value)
  if (match === null) throw formless(header)
  for (const [index, name] of names.entries()) found.set(name, match[index + 1] ?? '')
  return value.slice(match[0].length)
}

function formless(header: string): MalformedHeaderError {
  return new MalformedHeaderError(header, 'has not the form of the scheme')
}

function decodeSignature(text: string, { encoding }: HmacForm, header: string): Bytes {
  const bytes = encoding === 'hex' ? decodeHex(text.trim()) : decodeBase64(text.trim())
  if (bytes?.length === hmacBytes) return bytes
  throw new MalformedHeaderError(header, `holds no HMAC-SHA256 in ${encoding}`)
}
