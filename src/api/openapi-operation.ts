/** What each operation of the OpenAPI document gets beyond what its route says: problems, headers, examples. */
import { STATUS_CODES } from 'node:http'
import { type ErrorCode, errorTable } from '../core/errors.ts'
import { problemContentType, problemMembers, problemOf } from './problem.ts'
import { canForbid, type RouteAccess } from './route-access.ts'
import { codesOf, statusesOf } from './schemas/problems.ts'

type JsonObject = { [name: string]: unknown }

const statusDescriptions: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Durable',
  204: 'Done; no body',
  304: 'As it was; no body',
}

const noStore = {
  'Cache-Control': {
    description: 'the answer holds a secret, which is shown here once',
    schema: { type: 'string', const: 'no-store' },
  },
}

function replayed(what: string): JsonObject {
  return {
    'Idempotent-Replay': {
      description: `there when the idempotency key was used before for the same ${what}, which is answered again`,
      schema: { type: 'string', const: 'true' },
    },
  }
}

/** Of answers that are no problems. */
const answerHeaders: Readonly<Record<string, JsonObject>> = {
  'publishEvent 202': replayed('event'),
  'sendDelivery 202': replayed('send'),
  'createEndpoint 201': noStore,
  'rotateEndpointSecret 200': noStore,
  'listEndpointPublicKeys 200': {
    'Cache-Control': {
      description: 'how long it may be kept',
      schema: { type: 'string', const: 'public, max-age=60' },
    },
  },
  'createKey 201': noStore,
  'rotateKey 200': noStore,
  'createAdminToken 201': noStore,
}

const retryAfter = {
  'Retry-After': {
    description: 'seconds after which the same request may work',
    required: true,
    schema: { type: 'integer', minimum: 1, maximum: 10 },
  },
}

const problemHeaders: Readonly<Record<number, JsonObject>> = {
  401: {
    'WWW-Authenticate': {
      description: 'the scheme',
      required: true,
      schema: { type: 'string', const: 'Bearer' },
    },
  },
  429: retryAfter,
  503: retryAfter,
}

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly properties?: object } }>>
}

const entityTag = {
  ETag: {
    description: 'of the object as it is answered, for `If-Match` and `If-None-Match`',
    required: true,
    schema: { type: 'string', pattern: '^"[!#-~]+"$' },
  },
}

function headersOf(operation: JsonObject, status: string, { content }: Answer): JsonObject | undefined {
  const name = `${operation.operationId} ${status}`
  const { properties = {} } = content?.['application/json']?.schema ?? {}
  const isTagged = 'version' in properties || name.endsWith(' 304')
  const parameters = (operation.parameters ?? []) as readonly { readonly name: string }[]
  const takesKey = parameters.some((one) => one.name === 'idempotency-key')
  const all = {
    ...(takesKey && replayed('request')),
    ...answerHeaders[name],
    ...(isTagged && entityTag),
  }
  return Object.keys(all).length === 0 ? undefined : all
}

/** Completes it in place, and returns the statuses of its problems. */
export function completeOperation(operation: JsonObject, path: string): readonly number[] {
  if (operation['x-optional-body'] === true) (operation.requestBody as JsonObject).required = false
  const answers: JsonObject = {}
  for (const [status, answer] of Object.entries(operation.responses as JsonObject)) {
    const headers = headersOf(operation, status, answer as Answer)
    answers[status] = {
      ...(answer as JsonObject),
      description: statusDescriptions[status] ?? 'Answer',
      ...(headers !== undefined && { headers }),
    }
  }
  const access = (operation['x-access'] ?? null) as RouteAccess | null
  const statuses = statusesOf({
    needsToken: access !== null,
    canForbid: access !== null && canForbid(access),
    hasPathParameter: path.includes('{'),
    takesBody: operation.requestBody !== undefined,
    problems: (operation['x-problems'] ?? []) as readonly number[],
  })
  for (const status of statuses) answers[status] = { $ref: `#/components/responses/${nameOf(status)}` }
  operation.responses = answers
  for (const name of ['x-optional-body', 'x-access', 'x-problems']) delete operation[name]
  return statuses
}

/** The components that operations refer to. */
export function problemResponses(statuses: Iterable<number>): JsonObject {
  const sorted = [...new Set(statuses)].sort((a, b) => a - b)
  return Object.fromEntries(sorted.map((status) => [nameOf(status), problemResponse(status)]))
}

function nameOf(status: number): string {
  return (STATUS_CODES[status] ?? String(status)).replaceAll(/\W/g, '')
}

function problemResponse(status: number): JsonObject {
  const codes = codesOf(status)
  const [first = 'internal'] = codes
  const headers = problemHeaders[status]
  return {
    description: `${STATUS_CODES[status]}: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    ...(headers !== undefined && { headers }),
    content: {
      [problemContentType]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: { [first]: { value: exampleOf(first) } },
      },
    },
  }
}

function exampleOf(code: ErrorCode): object {
  return problemMembers(problemOf(code, `${errorTable[code].title}: what happened; what to do`))
}
