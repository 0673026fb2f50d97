import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import { acting } from './acting.ts'
import type { StoreHarness } from './contract/scene.ts'

export interface SqliteHarness extends StoreHarness {
  readonly store: SqliteStore
  readonly path: string
  readonly clock: ManualClock
}

export function makeDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'outhook-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A store on a file in a directory of its own, removed with `close`. */
export async function openFileHarness(options: Partial<SqliteStoreOptions> = {}): Promise<SqliteHarness> {
  const directory = makeDirectory()
  const path = join(directory.path, 'hooks.db')
  const clock = createManualClock()
  const store = await openSqliteStore({ path, clock, actorOf: () => acting.actor, ...options })
  return {
    store,
    path,
    clock,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async close() {
      await store.close()
      directory.remove()
    },
  }
}

export async function openMemoryHarness(): Promise<StoreHarness> {
  const clock = createManualClock()
  const actorOf = () => acting.actor
  const store = await openSqliteStore({ path: ':memory:', clock, inProcess: true, actorOf })
  return { store, now: () => clock.now(), advance: (ms) => clock.advance(ms), close: () => store.close() }
}

/** Publishes as a process does that claims as well. */
export function withMemory<Harness extends StoreHarness>(given: Harness): Harness {
  const { store } = given
  return {
    ...given,
    store: {
      ...store,
      publish: (batch, options) => store.publish(batch, { ...options, mayWaitInMemory: true }),
    },
  }
}
