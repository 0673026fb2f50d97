/** The exchange of the master key, with what it goes through. */
import { MasterKeys, type MasterKeysOptions } from './engine/master-key.ts'
import type { Store } from './store/port.ts'
import { sealedColumns } from './store/sealed-columns.ts'

export function createMasterKeys(
  store: Store,
  options: Omit<MasterKeysOptions, 'store' | 'time' | 'columns'>,
): MasterKeys {
  return new MasterKeys({ ...options, store, time: store.time, columns: sealedColumns })
}
