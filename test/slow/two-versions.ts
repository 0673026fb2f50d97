/** Two builds to run side by side: this version, and what the next one will be to it. */
import { execFile } from 'node:child_process'
import { appendFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { newestOf } from '../../src/store/migrations.ts'
import { postgresMigrations } from '../../src/store/postgres/connection/schema.ts'
import { version } from '../../src/version.ts'

const root = resolve(import.meta.dirname, '../..')

export interface Build {
  /** To be run with Node. */
  readonly entry: string
  /** What it calls itself in `user-agent`. */
  readonly agent: string
  readonly schemaVersion: number
}

const newest = newestOf(postgresMigrations)

/** Compiles `src/` into a folder of `directory`. */
export async function buildThisVersion(directory: string): Promise<Build> {
  const output = join(directory, 'this')
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', output, '--declaration', 'false']
  await promisify(execFile)(process.execPath, [compiler, ...args])
  cpSync(join(root, 'package.json'), join(directory, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'junction')
  return aBuild(output, version, newest)
}

/**
 * A copy that knows one migration more, such as a compatible upgrade has: columns in tables that every statement of
 * this version uses, and a new table. The oldest binary that may run on it is this version.
 */
export function makeNextVersion(directory: string): Build {
  const output = join(directory, 'next')
  cpSync(join(directory, 'this'), output, { recursive: true })
  const schemaVersion = newest + 1
  const migration = {
    version: schemaVersion,
    name: 'next',
    oldestCompatible: newest,
    sql: nextMigration,
  }
  appendFileSync(
    join(output, 'store/postgres/connection/schema.js'),
    `\npostgresMigrations.push(${JSON.stringify(migration)})\n`,
  )
  const versionFile = join(output, 'version.js')
  const nextVersion = `${version}-next`
  writeFileSync(versionFile, readFileSync(versionFile, 'utf8').replace(`'${version}'`, `'${nextVersion}'`))
  return aBuild(output, nextVersion, schemaVersion)
}

const nextMigration = `
alter table endpoints add column of_next text;
alter table events add column of_next text;
alter table live_deliveries add column of_next bigint not null default 0;
alter table deliveries add column of_next bigint not null default 0;
alter table attempts add column of_next text;
create table of_next (id uuid primary key);`

function aBuild(output: string, ofVersion: string, schemaVersion: number): Build {
  return { entry: join(output, 'cli/main.js'), agent: `outhook/${ofVersion}`, schemaVersion }
}
