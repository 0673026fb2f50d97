import { rememberVerified } from '../verified-requests.ts'
import { createVerifier } from '../verifier.ts'
import { defaultMaxBodyBytes, type ReceiverOptions, refusalOf } from './receiver.ts'

interface FastifyRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

interface FastifyReply {
  code(status: number): { send(body: unknown): unknown }
}

type AddParser = (
  contentType: string,
  options: { readonly parseAs: 'buffer'; readonly bodyLimit: number },
  parser: (request: unknown, body: unknown, done: (error: null, body: unknown) => void) => void,
) => unknown

/** What of `FastifyInstance` is used. Of its overloads TypeScript compares the last one only, so none is named here. */
interface FastifyScope {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(...args: never): unknown
  addHook(
    name: 'preValidation',
    hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ): unknown
}

/**
 * Plugin for Fastify 5. All routes of the scope that it is registered in get their bodies as bytes and are verified, so
 * give webhooks a scope of their own. They then have `webhookOf(request)`; what does not verify is answered with 401.
 *
 * @example
 * app.register(async (scope) => {
 *   scope.register(fastifyWebhook({ secrets: process.env.WEBHOOK_SECRET ?? '' }))
 *   scope.post('/webhooks', async (request, reply) => {
 *     console.log(webhookOf(request).json())
 *     return reply.code(204).send()
 *   })
 * })
 */
export function fastifyWebhook(options: ReceiverOptions) {
  const verifier = createVerifier(options)
  const bodyLimit = options.maxBodyBytes ?? defaultMaxBodyBytes
  const plugin = async (scope: FastifyScope): Promise<void> => {
    scope.removeAllContentTypeParsers()
    const addParser = scope.addContentTypeParser.bind(scope) as unknown as AddParser
    addParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => {
      done(null, body)
    })
    scope.addHook('preValidation', async (request, reply) => {
      try {
        const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
        rememberVerified(request, await verifier.verify({ headers: request.headers, body }))
      } catch (error) {
        const { status, body } = refusalOf(error)
        return reply.code(status).send(body)
      }
      return undefined
    })
  }
  // The plugin is to reach the scope that registers it, not one of its own; `fastify-plugin` does the same.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
