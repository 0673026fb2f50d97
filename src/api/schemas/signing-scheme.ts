import { reservedNames, reservedPrefixes } from '../../core/custom-headers.ts'
import {
  maxHmacHeaders,
  maxHmacMessageChars,
  maxHmacTextChars,
  meaningfulHeaders,
} from '../../core/hmac-scheme.ts'
import { describeSigningSchemes, signingSchemes } from '../../core/signing-schemes.ts'

const inAnyCase = (name: string) => name.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`)
const taken = [...reservedNames, ...meaningfulHeaders].map((name) => `${inAnyCase(name)}$`)
const reserved = [...taken, ...reservedPrefixes.map(inAnyCase)]
const headerPattern = `^(?!${reserved.join('|')})[!#$%&'*+.^_\`|~0-9A-Za-z-]+$`

const filledIn = '\\{id\\}|\\{timestamp\\}'
/** Visible ASCII with spaces inside; braces only around what is filled in. */
const textPattern = `^(?! )(?:[ -z|~]|${filledIn})*$`
const messagePart = `(?:[\\n -z|~]|${filledIn})*`
const withTimestamp = { type: 'string', pattern: '\\{timestamp\\}' }

/** How a signing scheme is described. It is read and checked by the engine, so this documents and validates nothing. */
export const signingSchemeDocument = {
  title: 'SigningScheme',
  description: `How requests are signed: ${describeSigningSchemes()}; or an HMAC-SHA256 in a form of one’s own, keyed with the whole text of the secret.`,
  anyOf: [
    { type: 'string', enum: [...signingSchemes] },
    {
      type: 'object',
      additionalProperties: false,
      required: ['type', 'header'],
      properties: {
        type: { type: 'string', const: 'hmac' },
        header: {
          type: 'string',
          maxLength: maxHmacTextChars,
          pattern: headerPattern,
          description: 'holds the signature; not one that the sender or another scheme sets',
          examples: ['x-acme-signature'],
        },
        prefix: {
          type: 'string',
          maxLength: maxHmacTextChars,
          pattern: textPattern,
          description: 'before the signature; `{id}` and `{timestamp}` are filled in. Default: nothing',
          examples: ['sha256='],
        },
        next: {
          type: ['string', 'null'],
          pattern: '^(?![0-9A-Za-z+/=]+$)[ -z|~]{1,32}$',
          description:
            'before each further signature while a secret is rotated. Null, the default: one signature, the primary secret’s',
          examples: [',v1='],
        },
        encoding: { type: 'string', enum: ['hex', 'base64'], description: 'default: hex' },
        message: {
          type: 'string',
          maxLength: maxHmacMessageChars,
          pattern: `^${messagePart}\\{body\\}${messagePart}$`,
          description:
            'what is signed: `{body}` once, and perhaps `{id}` (the event’s) and `{timestamp}` (Unix seconds, which prefix or headers then have to tell). Default: `{body}`',
          examples: ['{body}'],
        },
        headers: {
          type: 'object',
          maxProperties: maxHmacHeaders,
          propertyNames: { maxLength: maxHmacTextChars, pattern: headerPattern },
          additionalProperties: {
            type: 'string',
            maxLength: maxHmacTextChars,
            pattern: `${textPattern}(?<!^)(?<! )`,
          },
          description: 'sent besides; `{id}` and `{timestamp}` are filled in',
          examples: [{ 'x-acme-timestamp': '{timestamp}' }],
        },
      },
      anyOf: [
        { properties: { message: { not: withTimestamp } } },
        { required: ['prefix'], properties: { prefix: withTimestamp } },
        {
          required: ['headers'],
          properties: { headers: { not: { additionalProperties: { not: withTimestamp } } } },
        },
      ],
    },
  ],
  examples: [
    'standard',
    {
      type: 'hmac',
      header: 'x-acme-signature',
      prefix: 'sha256=',
      headers: { 'x-acme-timestamp': '{timestamp}' },
      message: '{body}',
    },
  ],
}
