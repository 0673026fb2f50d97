/** Entry point of the thread that examines the store beside its owner. */
import { randomBytes } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { createSystemClock } from '../../../core/clock.ts'
import { createKeyring } from '../../../core/keyring.ts'
import { parseMasterKey } from '../../../core/secret-box.ts'
import type { Finding } from '../../finding.ts'
import { examineSqlite } from '../upkeep/doctor.ts'
import type { InUseExamination } from '../upkeep/examine-in-use.ts'
import { serveThread } from './thread-port.ts'

if (parentPort !== null) {
  serveThread<InUseExamination>(parentPort, () => ({
    run: (request) => ({ reply: examine(request), transfer: [] }),
    close: () => {},
  }))
}

function examine({ path, processes, masterKeys }: InUseExamination): readonly Finding[] {
  const { now } = createSystemClock()
  const masterKey =
    masterKeys.length === 0 ? null : createKeyring(masterKeys.map(parseMasterKey), randomBytes)
  return examineSqlite({ path, processes, masterKey, now, isBrief: true })
}
