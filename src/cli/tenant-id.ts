import type { Client } from '../client/client.ts'
import { NotFoundError } from './exit-codes.ts'
import { resolveId } from './short-id.ts'

/** The id of a tenant that is named by its id, as tables show that, or by the uid of its user's own. */
export async function resolveTenant(client: Client, text: string): Promise<string> {
  if (text.startsWith('ten_')) return resolveId(text, (query) => client.tenants.list(query))
  const { items } = await client.tenants.list({ uid: text })
  const [tenant] = items
  if (tenant !== undefined) return tenant.id
  throw new NotFoundError(`no tenant has the id or uid ${text}; "outhook tenants list" shows all`)
}
