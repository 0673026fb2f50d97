/** The OpenAPI document, made from the routes' own schemas. */
import type { FastifyInstance } from 'fastify'
import { fastifySwagger } from '../bundled/swagger.ts'
import { problemContentType } from './problem.ts'
import { rateLimitDocument } from './schemas/rate-limit.ts'
import { retryPolicyDocument } from './schemas/retry-policy.ts'
import { ProblemBody } from './schemas/shapes.ts'

type JsonValue = unknown
type JsonObject = { [name: string]: JsonValue }

const description = `Publish events once; every endpoint that subscribed gets a signed request, at least once.

Every error is \`application/problem+json\` with \`type\` (a page about it), \`title\`, \`status\`,
\`detail\` and \`code\`: decide by \`code\` or \`status\`. Lists are pages
\`{items, next_cursor}\`: pass \`next_cursor\` as \`cursor\` until it is empty. Bodies are read as JSON whatever their
content type says.`

/** Must be called before the routes are registered. */
export function registerDocs(app: FastifyInstance, version: string): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Outhook',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'a producer key or an admin token' },
        },
      },
      security: [{ bearer: [] }],
    },
  })
  app.register(async (scope) => {
    const schema = { operationId: 'openapi', tags: ['operations'], summary: 'This document', security: [] }
    let text: string | null = null
    scope.get('/openapi.json', { schema }, async (_request, reply) => {
      text ??= JSON.stringify(openApiDocument(app))
      return reply.header('content-type', 'application/json').send(text)
    })
  })
}

/** The document. The server must be ready. */
export function openApiDocument(app: FastifyInstance): JsonObject {
  const document = structuredClone(app.swagger()) as unknown as JsonObject
  const named: JsonObject = {}
  nameSchemas(ProblemBody, named)
  for (const path of Object.values(document.paths as JsonObject)) {
    for (const operation of Object.values(path as JsonObject)) completeOperation(operation as JsonObject)
  }
  document.paths = nameSchemas(document.paths, named)
  const sorted = Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))
  document.components = { ...(document.components as JsonObject), schemas: Object.fromEntries(sorted) }
  return document
}

const statusDescriptions: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Durable',
  204: 'Done; no body',
}

/** Each operation can fail, always in the same shape. */
function completeOperation(operation: JsonObject): void {
  if (operation['x-optional-body'] === true) {
    delete operation['x-optional-body']
    ;(operation.requestBody as JsonObject).required = false
  }
  for (const [status, response] of Object.entries(operation.responses as JsonObject)) {
    ;(response as JsonObject).description = statusDescriptions[status] ?? 'Answer'
  }
  operation.responses = {
    ...(operation.responses as JsonObject),
    default: {
      description: 'A problem: what happened, and what to do',
      content: { [problemContentType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  }
}

const readByEngine = [retryPolicyDocument, rateLimitDocument]

/** A copy in which each schema with a title is a reference to the one of that name. */
function nameSchemas(value: JsonValue, named: JsonObject): JsonValue {
  if (Array.isArray(value)) return value.map((item) => nameSchemas(item, named))
  if (typeof value !== 'object' || value === null) return value
  const object = value as JsonObject
  const copy = Object.fromEntries(
    Object.entries(object).map(([name, part]) => [name, nameSchemas(part, named)]),
  )
  if (typeof object.title !== 'string') return copy
  named[object.title] = readByEngine.find(({ title }) => title === object.title) ?? copy
  return { $ref: `#/components/schemas/${object.title}` }
}
