/** The relays of outboxes in SQLite files of the user's own. */
import { resolve } from 'node:path'
import { OutboxPublisher, type OutboxPublisherOptions } from './engine/outbox-publisher.ts'
import { OutboxRelay, type OutboxRelayOptions } from './engine/outbox-relay.ts'
import { openOutboxFile } from './store/sqlite/outbox/outbox-file.ts'

type Parts = OutboxPublisherOptions & Pick<OutboxRelayOptions, 'clock' | 'logger'>

export function createOutboxRelays(paths: readonly string[], parts: Parts): readonly OutboxRelay[] {
  const { clock, logger, ...rest } = parts
  return paths.map(
    (path) =>
      new OutboxRelay({
        name: `sqlite:${path}`,
        file: openOutboxFile(resolve(path)),
        publisher: new OutboxPublisher({ ...rest, clock }),
        clock,
        logger,
      }),
  )
}
