/**
 * A write that needs as much room as a large event, and tells whether the next publish would be durable. In two
 * transactions: what is inserted and deleted in one never gets to the log.
 */
import type { WriteContext } from '../threads/write-context.ts'

const probeBytes = 64 * 1024

export function insertProbe(context: WriteContext): void {
  // What a fault left is room that it takes.
  deleteProbe(context)
  // Of a file system that compresses, the room for zeros is none.
  context
    .prepare("insert into meta (name, value) values ('write_probe', hex(randomblob(?)))") // primary key
    .run(probeBytes / 2)
}

export function deleteProbe(context: WriteContext): void {
  context.prepare("delete from meta where name = 'write_probe'").run()
}
