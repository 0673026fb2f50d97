/** A secret out of a file: on a command line other users of the machine could read it. */
import { readFile } from 'node:fs/promises'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'

/** The first line. Undefined: no file was named. */
export async function readSecret(file: string | undefined, io: CliIo): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = file === '-' ? (await io.readInput()).toString() : await readText(file)
  const [line = ''] = text.split(/\r?\n/)
  if (line !== '') return line
  throw new UsageError(`${file === '-' ? 'standard input' : file} does not begin with a secret`)
}

/** All of it. Undefined: no file was named. */
export async function readWhole(file: string | undefined, io: CliIo): Promise<string | undefined> {
  if (file === undefined) return undefined
  return file === '-' ? (await io.readInput()).toString() : readText(file)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  }
}
