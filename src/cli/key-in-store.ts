/** Keys and tokens that are made in a store itself, while no server runs on it: the first ones, or when all were lost. */
import type { Command } from 'commander'
import { ApiError } from '../client/errors.ts'
import type { AdminTokenCreate, CreatedAdminToken, CreatedKey, KeyCreate } from '../client/generated/types.ts'
import { toCamelCase, toSnakeCase } from '../client/member-names.ts'
import { loadConfig } from '../config/load-config.ts'
import { OuthookError } from '../core/errors.ts'
import type { NewKeyRequest } from '../server.ts'
import { errorLines } from './error-lines.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'

export interface StoreOptions {
  readonly store?: string | undefined
  readonly storeWait?: string | undefined
  readonly tenant?: string | undefined
}

export function addStoreOptions(command: Command): void {
  command.option(
    '--store <location>',
    'make it in this store, on which no server runs now, such as sqlite:hooks.db',
  )
  command.option(
    '--store-wait <duration>',
    'with --store: how long PostgreSQL is waited for while it does not answer; default 60s (OUTHOOK_STORE_WAIT)',
  )
}

/** What is asked for, and what comes of it, as with the client. */
interface KeyRoutes {
  readonly keys: readonly [KeyCreate, CreatedKey]
  readonly 'admin-tokens': readonly [AdminTokenCreate, CreatedAdminToken]
}

/** Null: it is to be made by a server. */
export async function createKeyInStore<R extends keyof KeyRoutes>(
  io: CliIo,
  { store, storeWait, tenant }: StoreOptions,
  { route, body }: { readonly route: R; readonly body: KeyRoutes[R][0] },
): Promise<KeyRoutes[R][1] | null> {
  if (store === undefined) {
    if (storeWait === undefined) return null
    throw new UsageError('--store-wait goes with --store: only a store that this command opens is waited for')
  }
  const server = await io.loadServer()
  const config = loadConfig({ flags: { store, storeWaitMs: storeWait }, env: io.env })
  const whose = { tenant: tenant ?? io.env.OUTHOOK_TENANT }
  try {
    const request = { ...whose, route, body: toSnakeCase(body) } as NewKeyRequest
    return toCamelCase(await server.createKey(config, request, errorLines(io))) as KeyRoutes[R][1]
  } catch (error) {
    throw asIfAnswered(error)
  }
}

/** What is wrong with the key is said as a server says it, so that flags are named. */
function asIfAnswered(error: unknown): unknown {
  if (!(error instanceof OuthookError) || ![400, 409, 413, 422].includes(error.status)) return error
  const { status, code, title, message, retryAfterSeconds = null } = error
  return new ApiError({ status, code, title, detail: message, retryAfterSeconds })
}
