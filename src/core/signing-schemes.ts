/** Which signing schemes an endpoint may have, and which of them clash. */
import { type HmacFormName, hmacForms } from '../verify/forms/hmac-form.ts'
import { OuthookError } from './errors.ts'
import { parseHmacScheme } from './hmac-scheme.ts'
import type { HmacScheme, NamedScheme, SigningScheme } from './signing-scheme.ts'

/** What each scheme is, for help, documents and errors. */
const notes: Readonly<Record<NamedScheme, string>> = {
  standard: 'Standard Webhooks',
  hookrail: 'for receivers that verify as those of the webhook server Hookrail do',
  pyfly: 'as pyfly’s callbacks, over canonical JSON, which is also what is sent',
  github: 'as GitHub',
  stripe: 'as Stripe',
  shopify: 'as Shopify',
  slack: 'as Slack',
  none: 'unsigned',
}

export const signingSchemes = Object.keys(notes) as readonly NamedScheme[]

/** At once on one endpoint. */
export const maxSchemes = 8

export function describeSigningSchemes(): string {
  return signingSchemes.map((name) => `${name} (${notes[name]})`).join(', ')
}

/** Checks an endpoint's `signing_schemes`; `unprocessable` says what clashes. */
export function validateSigningSchemes(value: unknown, member = 'signing_schemes'): readonly SigningScheme[] {
  if (!Array.isArray(value) || value.length === 0) {
    const allowed = signingSchemes.map((scheme) => `"${scheme}"`).join(', ')
    throw refused(`${member} must be a list of at least one of ${allowed}, or an object of type "hmac"`)
  }
  if (value.length > maxSchemes)
    throw refused(`${member} has ${value.length} schemes; at most ${maxSchemes} are allowed`)
  const schemes = value.map((scheme, index) => readScheme(scheme, `${member}[${index}]`))
  checkClashes(schemes, member)
  return schemes
}

function readScheme(value: unknown, member: string): SigningScheme {
  if (typeof value === 'object' && value !== null) return parseHmacScheme(value, member)
  const name = signingSchemes.find((scheme) => scheme === value)
  if (name !== undefined) return name
  throw refused(`${member} must be one of ${describeSigningSchemes()}, or an object of type "hmac"`)
}

function checkClashes(schemes: readonly SigningScheme[], member: string): void {
  const twice = schemes.find(
    (scheme, index) => typeof scheme === 'string' && schemes.indexOf(scheme) !== index,
  )
  if (twice !== undefined) throw refused(`${member} names "${twice}" twice; each scheme stands there once`)
  if (schemes.length > 1 && schemes.includes('none')) {
    throw refused(`${member} has "none" beside another scheme; leave one of them out`)
  }
  const owners = new Map<string, number>()
  for (const [index, scheme] of schemes.entries()) {
    for (const header of formHeaders(scheme)) {
      const first = owners.get(header)
      if (first !== undefined) {
        throw refused(
          `${member}[${index}] sets the header "${header}", as ${member}[${first}] does; leave one of them out`,
        )
      }
      owners.set(header, index)
    }
  }
}

/** Headers of `standard` and `hookrail` are reserved, so no other scheme can have them. */
function formHeaders(scheme: SigningScheme): readonly string[] {
  const form = typeof scheme === 'string' ? namedForm(scheme) : scheme
  return form === null ? [] : [form.header, ...Object.keys(form.headers)]
}

function namedForm(name: NamedScheme): Omit<HmacScheme, 'type'> | null {
  return Object.hasOwn(hmacForms, name) ? hmacForms[name as HmacFormName] : null
}

function refused(message: string): OuthookError {
  return new OuthookError('unprocessable', message)
}
