/** What the schemas of several resources share. A schema with a `title` becomes a named one in the OpenAPI document. */

import type { Static, TObject, TProperties, TSchema } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { maxCustomHeaders } from '../../core/custom-headers.ts'
import { errorTable } from '../../core/errors.ts'
import type { IdPrefix } from '../../core/ids.ts'
import { maxMediaTypeChars, mediaTypePattern } from '../../core/media-type.ts'
import { limits } from '../../core/model.ts'
import { policySources } from '../../core/retry-policy.ts'
import type { SigningScheme } from '../../core/signing-scheme.ts'
import { controlCharacters, cursorPattern, idOf } from './text-limits.ts'

/** `type: [t, 'null']`, which the response serializer handles without trying alternatives. */
export function Nullable<T extends TSchema & { readonly type?: unknown }>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** What an object's schema says besides its members. */
export interface SchemaOptions {
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly allOf?: readonly object[]
  readonly dependentRequired?: Record<string, string[]>
}

/** An object that takes its own members and no others. */
export function Closed<T extends TProperties>(properties: T, options: SchemaOptions = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds' })
export const Id = Type.String()

/** Describes an answer without a body. */
export const NoBody = Type.Unsafe<undefined>({ type: 'null' })
export const AnyJson = Type.Unknown()
/** Of any type. */
export const Bytes = Type.Unsafe<Buffer>(Type.String({ format: 'binary' }))
/** Text that a route sends as bytes. */
export const Text = Type.Unsafe<Buffer>(Type.String())

/** Of a body. */
export const MediaType = Type.String({ maxLength: maxMediaTypeChars, pattern: mediaTypePattern })

export const StringMap = Type.Record(Type.String(), Type.String())

export function idParams(...prefixes: readonly IdPrefix[]) {
  return Type.Object({ id: idOf(...prefixes) })
}

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'items at most' })),
  cursor: Type.Optional(
    Type.String({ pattern: cursorPattern, description: '`next_cursor` of the page before' }),
  ),
}

export const timeRangeQuery = {
  since: Type.Optional(Type.String({ format: 'date-time', description: 'at or after' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'before' })),
}

export function PageOf<T extends TObject>(item: T) {
  const { title } = item as { readonly title?: string }
  return Type.Object(
    {
      items: Type.Array(item),
      next_cursor: Type.String({
        description: 'empty at the end, and only there: a page may have fewer items than its limit, or none',
      }),
    },
    title === undefined ? {} : { title: `${title}Page` },
  )
}

export const ProblemBody = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'a page of this server about the code' }),
    title: Type.String({ description: 'for people' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'what happened, and what to do; for people' }),
    code: Type.String({ enum: Object.keys(errorTable), description: 'what to decide by' }),
    path: Type.Optional(
      Type.String({
        description:
          'only of `payload_mismatch`: where in the payload, as a JSON Pointer; empty is the payload as a whole',
      }),
    ),
  },
  { title: 'Problem' },
)

/** Read by the engine, which names what is wrong in it; described in full in the OpenAPI document. */
export const RetryPolicyInput = Type.Unknown({ title: 'RetryPolicy' })

export const EffectiveRetryPolicyBody = Type.Object(
  {
    policy: RetryPolicyInput,
    from: Type.String({ enum: [...policySources], description: 'who has named it' }),
    unknown_profiles: Type.Array(Type.String(), {
      description: 'profiles that somebody nearer names and this server does not know any more',
    }),
  },
  {
    title: 'EffectiveRetryPolicy',
    description:
      'the policy in force: of subscription, endpoint, tenant and server the nearest that has one. A delivery that waits goes by the one in force at its next attempt',
  },
)
/** Likewise. */
export const SigningSchemeInput = Type.Unsafe<SigningScheme>({ title: 'SigningScheme' })
/** Likewise. */
export const FilterInput = Type.Unsafe<Readonly<Record<string, unknown>> | null>({ title: 'Filter' })
/** Likewise. */
export const EndpointSettingsInput = Type.Unsafe<Readonly<Record<string, unknown>> | null>({
  title: 'EndpointSettings',
})
/** Likewise. */
export const RateLimitInput = Type.Unsafe<number | null>({ title: 'RateLimit' })

export function metadataInput(use: string, example: Readonly<Record<string, string>>) {
  return Nullable(
    Type.Unsafe<Readonly<Record<string, string>>>({
      type: 'object',
      maxProperties: limits.maxMetadataEntries,
      propertyNames: { pattern: '^[a-z0-9_-]{1,64}$' },
      additionalProperties: {
        type: 'string',
        maxLength: limits.maxMetadataValueBytes,
        pattern: `^(?!\\s)[^${controlCharacters}]*$(?<!\\s)`,
      },
      description: `up to 16 short strings of at most 256 bytes, ${use}`,
      examples: [example],
    }),
  )
}

/** Headers that a caller names, for requests to receivers. `core/custom-headers.ts` says which names are refused. */
export function CustomHeaders(options: {
  readonly description: string
  readonly examples: readonly object[]
}) {
  return Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    maxProperties: maxCustomHeaders,
    propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
    additionalProperties: { type: 'string', pattern: '^[!-~](?:[ -~]*[!-~])?$' },
    ...options,
  })
}
