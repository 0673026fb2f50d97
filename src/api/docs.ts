/** The OpenAPI document, made from the routes' own schemas. */
import type { FastifyInstance } from 'fastify'
import { fastifySwagger } from '../bundled/swagger.ts'
import { completeOperation, problemResponses } from './openapi-operation.ts'
import { endpointSettingsDocument } from './schemas/endpoint-settings.ts'
import { filterDocument } from './schemas/filter.ts'
import { hookrailBackoffDocument, hookrailMaxAttemptsDocument } from './schemas/hookrail-policy.ts'
import { rateLimitDocument } from './schemas/rate-limit.ts'
import { retryPolicyDocument } from './schemas/retry-policy.ts'
import { ProblemBody } from './schemas/shapes.ts'
import { signingSchemeDocument } from './schemas/signing-scheme.ts'
import { type SharedBytes, sendShared, shareBytes } from './shared-bytes.ts'

type JsonValue = unknown
type JsonObject = { [name: string]: JsonValue }

const description = `Publish events once; every endpoint that subscribed gets a signed request, at least once.

Every error is \`application/problem+json\` with \`type\` (a page about it), \`title\`, \`status\`,
\`detail\` and \`code\`: decide by \`code\` or \`status\`. Lists are pages
\`{items, next_cursor}\`: pass \`next_cursor\` as \`cursor\` until it is empty. A page may have fewer items
than its limit, even none, where few rows of very many match; only an empty \`next_cursor\` says the end. Bodies are read as JSON whatever their
content type says.`

const tags = [
  ['events', 'What happened, as producers publish it'],
  ['endpoints', 'Where events are sent'],
  ['subscriptions', 'Which events an endpoint gets'],
  ['event types', 'What is said of topics, and how payloads are checked'],
  ['deliveries', 'One event on its way to one endpoint'],
  ['ordered keys', 'Ordering keys of ordered subscriptions, and what waits in their lines'],
  ['dead letters', 'Deliveries that were given up'],
  ['jobs', 'Work on many deliveries at once, and how far it has got'],
  ['stats', 'Figures: how it is now, and over time'],
  ['stream', 'What happens, as it happens'],
  ['tenants', 'Whose webhooks these are, where one server is for several'],
  ['portal links', 'Links by which the people of a tenant see to its webhooks in a browser'],
  ['portals', 'What such a link is good for'],
  ['credentials', 'What requests authenticate with at their receivers'],
  ['keys', 'Who may publish'],
  ['admin tokens', 'Who may administer, and how far'],
  ['audit', 'Who changed what'],
  ['sign ins', 'Browsers that are signed in, as that of the dashboard'],
  ['system', 'What the server is, how it is set and what is found in its store'],
  ['operations', 'For load balancers and scrapers, without credentials'],
] as const

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
          producerKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'a producer key (`hk_…`): publishes, and reads the events that were published with it; with more abilities it does more. A requirement names the ability that it needs.',
          },
          adminToken: {
            type: 'http',
            scheme: 'bearer',
            description:
              'an admin token (`hkadm_…`, or the one of the configuration, whose role is admin). A requirement names the least role: viewer, operator or admin.',
          },
          portalLink: {
            type: 'http',
            scheme: 'bearer',
            description:
              'the token of a link to the portal (`hkprt_…`), for the objects of its tenant alone. A requirement names the abilities that the link needs.',
          },
        },
      },
      servers: [{ url: '/', description: 'the server that this document comes from' }],
      security: [{ adminToken: [] }],
      tags: tags.map(([name, description]) => ({ name, description })),
    },
  })
  app.register(async (scope) => {
    const schema = { operationId: 'openapi', tags: ['operations'], summary: 'This document' }
    let shared: SharedBytes | null = null
    scope.get('/openapi.json', { schema }, async (request, reply) => {
      shared ??= shareBytes(Buffer.from(`${JSON.stringify(openApiDocument(app))}\n`))
      return sendShared(request, reply.header('content-type', 'application/json'), shared)
    })
  })
}

/** The document. The server must be ready. */
export function openApiDocument(app: FastifyInstance): JsonObject {
  const document = structuredClone(app.swagger()) as unknown as JsonObject
  const named: JsonObject = {}
  nameSchemas(ProblemBody, named)
  const statuses = Object.entries(document.paths as JsonObject).flatMap(([path, operations]) =>
    Object.values(operations as JsonObject).flatMap((operation) =>
      completeOperation(operation as JsonObject, path),
    ),
  )
  document.paths = nameSchemas(document.paths, named)
  const sorted = Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))
  document.components = {
    ...(document.components as JsonObject),
    responses: problemResponses(statuses),
    schemas: Object.fromEntries(sorted),
  }
  return document
}

const readByEngine = [
  endpointSettingsDocument,
  filterDocument,
  retryPolicyDocument,
  rateLimitDocument,
  signingSchemeDocument,
  hookrailMaxAttemptsDocument,
  hookrailBackoffDocument,
]

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
