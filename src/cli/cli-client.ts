import { type Client, createClient } from '../client/client.ts'

/**
 * The client as commands use it: the environment was read by the command, people wait longer than programs, and what an
 * answer means for the exit code is to be seen at once instead of after retries.
 */
export function createCliClient(connection: {
  readonly url: string
  readonly token?: string | undefined
  readonly tenant?: string | undefined
}): Client {
  const { url, token = '', tenant } = connection
  return createClient({ url, token, tenant, timeoutMs: 30_000, retry: { maxRetries: 0 } })
}
