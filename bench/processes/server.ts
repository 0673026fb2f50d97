/** The server under test, with a producer key; no endpoint is subscribed. */
import type { RunningServer } from '../../src/server.ts'
import { adminToken, makeProducerKey } from '../harness/admin-api.ts'
import { type Spent, startMeter } from '../harness/cpu-meter.ts'
import { loadConfigLoader, loadServer } from '../harness/product.ts'
import { serveCommands } from '../harness/serve-commands.ts'
import type { StoreOptions } from '../harness/stores.ts'

let server: RunningServer | null = null
let stopMeter: (() => Spent) | null = null

const commands = {
  async listen(store: StoreOptions): Promise<{ readonly port: number; readonly key: string }> {
    const { createLogger, startServer } = await loadServer()
    const { loadConfig } = await loadConfigLoader()
    const config = loadConfig({ flags: { ...store, port: '0', adminToken }, env: {} })
    const destination = { write: (line: string) => process.stderr.write(line) }
    const log = createLogger({ level: 'warn', format: 'json', colour: false, destination })
    server = await startServer(config, { log, onMasterKeyCreated: () => {} })
    return { port: Number(new URL(server.url).port), key: await makeProducerKey(server.url) }
  },
  startMeter(): void {
    stopMeter = startMeter()
  },
  stopMeter(): Spent {
    if (stopMeter === null) throw new Error('not started')
    return stopMeter()
  },
  async close(): Promise<void> {
    await server?.close()
    server = null
  },
}

export type ServerCommands = typeof commands

serveCommands(commands)
