/**
 * A program that writes orders and their events in transactions of its own file, and prints each order that was committed,
 * until it is killed in the middle of one.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { publishInto } from '../../src/index.ts'

const [path = '', prefix = ''] = process.argv.slice(2)
const db = new DatabaseSync(path, { timeout: 10_000 })
const insert = db.prepare('insert into orders (id) values (?)')
process.stdout.write('ready\n')
for (let n = 0; ; n++) {
  const id = `${prefix}-${n}`
  db.exec('begin immediate')
  insert.run(id)
  publishInto(db, { topic: 'orders.created', payload: { id } })
  // Written to the log in pieces, so that a kill may come between any two of them.
  if (n % 50 === 0) for (let more = 0; more < 200; more++) insert.run(`${id}-part`)
  db.exec('commit')
  process.stdout.write(`${id}\n`)
  // Others may write too.
  await setTimeout(5)
}
