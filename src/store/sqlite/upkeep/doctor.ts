/** Examines a SQLite store through a read-only connection beside its owner. */
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { resumeTimeLine } from '../../../core/time-line.ts'
import {
  type Examination,
  type Finding,
  judgeBacklog,
  judgeClock,
  judgeMasterKey,
  judgeOrderedKeys,
  judgeSchema,
  mebibytes,
  ok,
  problem,
  warning,
} from '../../finding.ts'
import { parseSavedTime, savedTimeName } from '../../saved-time.ts'
import { openDatabase, readPragma } from '../connection/database.ts'
import { isUnreadable } from '../connection/failure-of.ts'
import { findTraceOfLost } from '../connection/lost-database.ts'
import { sqliteCode } from '../connection/result-codes.ts'
import { planSqlite } from '../connection/schema.ts'
import { refuseUnusedLink } from '../connection/second-name.ts'
import { StatementCache } from '../connection/statement-cache.ts'
import { counts } from '../read/counts.ts'
import { checkIntegrity } from './check-integrity.ts'
import { checkExpunged } from './doctor-expunged.ts'
import { findStuckLines } from './repair-lines.ts'

export interface SqliteExamination extends Examination {
  readonly path: string
}

/** Those that a brief examination leaves out. */
export const lengthyChecks: readonly string[] = ['integrity', 'ordered keys', 'expunged']

/** Never throws: a file that cannot be opened is a finding too. Blocks. */
export function examineSqlite(options: SqliteExamination): readonly Finding[] {
  const { path } = options
  const lost = findTraceOfLost(path)
  if (lost !== null) {
    const advice = 'check the path and that its disk is mounted, or restore a backup'
    return [problem('file', `${path} is ${lost.state}, though ${lost.trace}`, advice)]
  }
  if (!existsSync(path)) {
    return [
      warning('file', `${path} is not there`, 'give the path that the server runs on, or start a server'),
    ]
  }
  const findings = [
    ok('file', `${path}, ${mebibytes(statSync(path).size)}`),
    ...checkPlace(path),
    checkOwner(path),
  ]
  try {
    refuseUnusedLink(path)
    const database = openDatabase(path, { readOnly: true })
    try {
      if (options.isBrief === true) return [...findings, ...examine(database, options)]
      const integrity = judgeIntegrity(database, options)
      if (integrity.level === 'problem') return [...findings, integrity]
      return [...findings, integrity, ...examine(database, options)]
    } finally {
      database.close()
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (sqliteCode(error) === corrupt) return [...findings, problem('integrity', message, repairAdvice)]
    const advice = 'run a newer Outhook if it asks for one; else give another path, or restore a backup'
    return [...findings, problem('schema', message, advice)]
  }
}

/** Unlike a file that is no database, of which nobody knows what it was. */
const corrupt = 11
const repairAdvice =
  'stop the server, keep the files, and restore a backup, or repair a copy with the command ".recover" of the sqlite3 shell'

const diskAdvice =
  'stop the server, look at the disk, and copy the files to a sound one before anything else; then examine the copy'

function judgeIntegrity(
  database: DatabaseSync,
  { path, quick = false, onProgress }: SqliteExamination,
): Finding {
  const { tables, damage } = checkIntegrity(database, { quick, onProgress })
  if (damage.length > 0 && isUnreadable(path)) {
    return problem('integrity', `the disk refuses to read ${path} (I/O error)`, diskAdvice)
  }
  if (damage.length > 0) return problem('integrity', `damaged: ${damage.join('; ')}`, repairAdvice)
  const scope = quick ? '; that indexes agree with their tables was left out' : ''
  return ok('integrity', `no damage in ${tables} tables${scope}`)
}

function examine(database: DatabaseSync, options: SqliteExamination): readonly Finding[] {
  const change = planSqlite(database)
  const findings = [
    judgeSchema(change),
    checkJournal(database),
    checkLog(options.path),
    checkFreePages(database),
  ]
  if (change.from === 0) return findings
  const statements = new StatementCache(database)
  const prepare = <Row>(sql: string) => statements.prepare<Row>(sql)
  const saved = parseSavedTime(
    prepare<{ value: string }>('select value from meta where name = ?').get(savedTimeName)?.value,
  )
  const { line, now } = resumeTimeLine(saved, options.now())
  const stored = prepare<{ value: string }>(`select value from meta where name = 'master_key_check'`).get()
  const { isBrief = false } = options
  const hasLines = change.steps.length === 0 && !isBrief
  return [
    ...findings,
    judgeMasterKey(stored?.value ?? null, options),
    judgeBacklog(counts({ now, line, prepare })),
    ...(hasLines ? [judgeOrderedKeys(findStuckLines({ prepare }))] : []),
    judgeClock(saved, options.now()),
    ...(isBrief ? [] : checkExpunged({ prepare })),
  ]
}

/** By `statfs`: the ones on which locks and shared memory cannot be trusted. Linux only; elsewhere none matches. */
const networkFileSystems: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  16914839: '9P',
}
const littleRoomBytes = 2 ** 30

function checkPlace(path: string): readonly Finding[] {
  const { type, bavail, bsize } = statfsSync(dirname(path))
  const network = process.platform === 'linux' ? networkFileSystems[type] : undefined
  const free = bavail * bsize
  const room = `${mebibytes(free)} free`
  return [
    network === undefined
      ? ok('file system', 'local')
      : problem(
          'file system',
          network,
          'keep the file on a local disk: SQLite cannot lock it over a network',
        ),
    free < littleRoomBytes
      ? warning('disk', room, 'make room: when the disk is full, every publish is answered 503')
      : ok('disk', room),
  ]
}

function checkOwner(path: string): Finding {
  try {
    return ok('owner', readFileSync(`${path}.owner`, 'utf8').trim())
  } catch {
    return ok('owner', 'none: no server runs on it')
  }
}

function checkJournal(database: DatabaseSync): Finding {
  const mode = String(readPragma(database, 'journal_mode'))
  if (mode === 'wal') return ok('journal', 'wal')
  return problem('journal', mode, 'start a server, which sets it, and let no other program change it')
}

const largeLogBytes = 256 * 2 ** 20

function checkLog(path: string): Finding {
  const bytes = existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0
  if (bytes < largeLogBytes) return ok('log', mebibytes(bytes))
  return warning('log', mebibytes(bytes), 'another program keeps the file open for reading; end it')
}

const roomyBytes = 256 * 2 ** 20

function checkFreePages(database: DatabaseSync): Finding {
  const pages = Number(readPragma(database, 'page_count'))
  const free = Number(readPragma(database, 'freelist_count'))
  const bytes = free * Number(readPragma(database, 'page_size'))
  const found = `${mebibytes(bytes)} of the file are free for reuse`
  if (bytes < roomyBytes || free < pages / 2) return ok('free space', found)
  return warning(
    'free space',
    found,
    'to shrink the file, run "outhook backup", stop the server, and put the copy in the place of the file',
  )
}
