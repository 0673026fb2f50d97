import type { Client } from '../client/client.ts'
import { NotFoundError } from './exit-codes.ts'
import { resolveId } from './short-id.ts'

/** The id of a credential that is named by its id, as tables show that, or by its name. */
export async function resolveCredential(client: Client, text: string): Promise<string> {
  if (text.startsWith('crd_')) return resolveId(text, (query) => client.credentials.list(query))
  const { items } = await client.credentials.list({ name: text })
  const [credential] = items
  if (credential !== undefined) return credential.id
  throw new NotFoundError(`no credential has the id or name ${text}; "outhook credentials list" shows all`)
}

/** Of a flag that takes `none` too, and may be left out. */
export async function credentialFlag(
  client: Client,
  text: string | undefined,
): Promise<string | null | undefined> {
  if (text === undefined) return undefined
  return text === 'none' ? null : resolveCredential(client, text)
}
