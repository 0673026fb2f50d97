import type { Client } from '../client/client.ts'
import { NotFoundError } from './exit-codes.ts'
import { resolveId } from './short-id.ts'

/** The id of an endpoint that is named by its id, as tables show that, or by the uid of its user's own. */
export async function resolveEndpoint(client: Client, text: string): Promise<string> {
  if (text.startsWith('ep_')) return resolveId(text, (query) => client.endpoints.list(query))
  const { items } = await client.endpoints.list({ uid: text })
  const [endpoint] = items
  if (endpoint !== undefined) return endpoint.id
  throw new NotFoundError(`no endpoint has the id or uid ${text}; "outhook endpoints list" shows all`)
}

/** For filters, which may be absent. */
export async function resolveEndpointFilter(
  client: Client,
  text: string | undefined,
): Promise<string | undefined> {
  return text === undefined ? undefined : resolveEndpoint(client, text)
}
