/**
 * A relay of the outbox of its first argument into the store of its second, which delivers nothing, until it is killed.
 * With `hold` as its third argument it says how many it has published before it removes them, and never does.
 */
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { OutboxPublisher } from '../../src/engine/outbox-publisher.ts'
import { OutboxRelay } from '../../src/engine/outbox-relay.ts'
import type { Store } from '../../src/store/port.ts'
import { openOutboxFile } from '../../src/store/sqlite/outbox/outbox-file.ts'

const [path = '', location = '', mode = ''] = process.argv.slice(2)
const clock = createSystemClock()
const stores: Store[] = []
const app = await openApp({
  config: loadConfig({ options: { store: location, masterKey: 'ab'.repeat(32) } }),
  logger: silentLogger,
  dispatch: false,
  wrapStore(store) {
    stores.push(store)
    return store
  },
})
const file = openOutboxFile(path)
const { publisher, tenants } = app.engine
const relay = new OutboxRelay({
  name: path,
  file: {
    read: file.read,
    close: file.close,
    finish(finish) {
      process.stdout.write(`published ${finish.relayed.length}\n`)
      return mode === 'hold' ? new Promise(() => {}) : file.finish(finish)
    },
  },
  publisher: new OutboxPublisher({ publisher, tenants, store: stores[0] as Store, clock }),
  clock,
  logger: silentLogger,
})
relay.start()
process.stdout.write('ready\n')
setInterval(() => {}, 1000)
