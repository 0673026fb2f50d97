/** The least that makes events and outcomes durable in SQLite: one row each, one commit for all that came together. */
import { DatabaseSync } from 'node:sqlite'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export interface BareStore {
  /** Calls back once they are durable. One call at a time. */
  insert(bodies: readonly Buffer[], done: () => void): void
  record(outcomes: number): void
}

type Order = readonly Uint8Array[] | number

/** Commits as the product does, in a thread of its own. */
export function openInThread(file: string): BareStore {
  const thread = new Worker(new URL(import.meta.url), { workerData: file })
  let inserted: () => void = () => {}
  thread.on('message', () => inserted())
  return {
    insert(bodies, done) {
      inserted = done
      thread.postMessage(bodies satisfies Order)
    },
    record(outcomes) {
      thread.postMessage(outcomes satisfies Order)
    },
  }
}

/** Commits at once: no message and no second thread to wake, but nothing else happens during an `fsync`. */
export function openInline(file: string): BareStore {
  const write = openWriter(file)
  return {
    insert(bodies, done) {
      write(bodies)
      done()
    },
    record: write,
  }
}

function openWriter(file: string): (order: Order) => void {
  const database = new DatabaseSync(file)
  database.exec(`
    pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000;
    create table events (k integer primary key, body blob);
    create table outcomes (k integer primary key, status integer);`)
  const begin = database.prepare('begin immediate')
  const insert = database.prepare('insert into events (body) values (?)')
  const record = database.prepare('insert into outcomes (status) values (?)')
  const commit = database.prepare('commit')
  return (order) => {
    begin.run()
    if (typeof order === 'number') for (let left = order; left > 0; left--) record.run(200)
    else for (const body of order) insert.run(body)
    commit.run()
  }
}

if (!isMainThread && typeof workerData === 'string') {
  const write = openWriter(workerData)
  parentPort?.on('message', (order: Order) => {
    write(order)
    if (typeof order !== 'number') parentPort?.postMessage(null)
  })
}
