/** PostgreSQL may start after who needs it: the server, the library and the commands that open a store wait alike. */
import type { Config } from './config/schema.ts'
import { type Clock, createSystemClock } from './core/clock.ts'
import { type Logger, silentLogger } from './core/logger.ts'
import { openWithPatience } from './store/wait-for-store.ts'

export interface WaitForPostgres {
  /** The address; its host alone is told. */
  readonly url: string
  readonly waitMs: Config['storeWaitMs']
  /** Hears what is waited for. */
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

/** Errors: those of `open`, once it was tried for long enough or cannot get better. */
export async function waitForPostgres<T extends { close(): Promise<void> }>(
  { url, waitMs, logger = silentLogger, clock = createSystemClock(), signal }: WaitForPostgres,
  open: () => Promise<T>,
): Promise<T> {
  // Loaded only where it is used: most programs never need the driver.
  const { mayComeSoon } = await import('./store/postgres/connection/store-error.ts')
  return openWithPatience(open, {
    waitMs,
    what: `PostgreSQL at ${hostOf(url)}`,
    clock,
    logger,
    signal,
    mayPass: mayComeSoon,
  })
}

/** As `waitForPostgres`, for what opens a connection, does its work and closes it again. */
export async function tryWithPatience<T>(wait: WaitForPostgres, work: () => Promise<T>): Promise<T> {
  const { value } = await waitForPostgres(wait, async () => ({
    value: await work(),
    close: () => Promise.resolve(),
  }))
  return value
}

/** Without the user and the password. */
function hostOf(url: string): string {
  return (URL.canParse(url) && new URL(url).host) || 'its socket'
}
