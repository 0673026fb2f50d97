/** The master key: given by the operator, or kept in a file beside the database. */
import { closeSync, fsyncSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { OuthookError } from '../core/errors.ts'
import { parseMasterKey } from '../core/secret-box.ts'

export interface MasterKey {
  readonly key: Uint8Array
  /** It was made just now, in this file. */
  readonly createdFile: string | null
}

export interface MasterKeySource {
  /** 64 hex digits or base64 of 32 bytes; null to use the file. */
  readonly given: string | null
  /** Null: nothing outlives the process, a key of its own will do. */
  readonly file: string | null
  readonly randomBytes: (size: number) => Uint8Array
}

export function loadMasterKey({ given, file, randomBytes }: MasterKeySource): MasterKey {
  if (given !== null) return { key: parseMasterKey(given), createdFile: null }
  if (file === null) return { key: randomBytes(32), createdFile: null }
  const text = readKeyFile(file)
  if (text !== null) return { key: parseMasterKey(text.trim()), createdFile: null }
  const key = randomBytes(32)
  writeKeyFile(file, key)
  return { key, createdFile: file }
}

/** Null: there is none. Errors: invalid_config. */
export function readKeyFile(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new OuthookError(
      'invalid_config',
      `the master key file ${file} cannot be read; check its owner and mode`,
      {
        cause,
      },
    )
  }
}

/** What to do about a file of secrets that other users of the machine can read; null when they cannot. */
export function warnOfReaders(file: string, what: string): string | null {
  // Windows has no such bits: access is a matter of the directory there.
  const mode = process.platform === 'win32' ? 0 : (statSync(file, { throwIfNoEntry: false })?.mode ?? 0)
  if ((mode & 0o077) === 0) return null
  const shown = (mode & 0o777).toString(8).padStart(3, '0')
  return `${what} ${file} can be read by other users of this machine (mode ${shown}); run "chmod 600 ${file}"`
}

/** Durable before its first use: a secret sealed under a key that a power cut takes away is lost. */
function writeKeyFile(file: string, key: Uint8Array): void {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${Buffer.from(key).toString('hex')}\n`)
    fsyncSync(descriptor)
  } catch (error) {
    unlinkSync(file)
    throw error
  } finally {
    closeSync(descriptor)
  }
  syncDirectory(dirname(file))
}

/** So that the file's name is durable too. Windows cannot open a directory and needs no such step. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
