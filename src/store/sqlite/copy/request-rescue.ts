/** The side of the command: see `rescue-files.ts`. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { toError } from '../threads/tick.ts'
import { type RescueAnswer, rescuePaths, writeMessage } from './rescue-files.ts'

const lookEveryMs = 100
/** Until the first sign of life; the process looks once a second. */
const firstSignMs = 4000
/** Between two signs of life. */
const patienceMs = 10_000

/** Whether a process may hold the database while its files are not, or not all, at their paths. */
export function mayBeDisplaced(path: string): boolean {
  const hasOwner = existsSync(`${path}.owner`)
  return !existsSync(path) || existsSync(rescuePaths(path).marker) || (hasOwner && !existsSync(`${path}-wal`))
}

/**
 * Has the process that holds the database copy it into the file. False: no process answers. Rejects with what kept the
 * process from it.
 */
export async function requestRescue(path: string, targetFile: string): Promise<boolean> {
  const paths = rescuePaths(resolve(path))
  const id = randomUUID()
  const made = makeDirectory(dirname(paths.request))
  if (made === null) return false
  try {
    writeMessage(paths.request, { id, targetFile: resolve(targetFile) })
    const answer = await waitForAnswer(paths.answer, id)
    if (answer?.state === 'failed') throw toError(answer.failure)
    return answer?.state === 'done'
  } finally {
    rmSync(paths.request, { force: true })
    rmSync(paths.answer, { force: true })
    removeEmpty(made)
  }
}

/** Null: no sign of life. */
async function waitForAnswer(path: string, id: string): Promise<RescueAnswer | null> {
  let last: string | null = null
  for (let leftMs = firstSignMs; leftMs > 0; leftMs -= lookEveryMs) {
    await wait(lookEveryMs)
    const text = readText(path)
    if (text === null || text === last) continue
    last = text
    const answer = JSON.parse(text) as RescueAnswer
    if (answer.id !== id) continue
    if (answer.state !== 'working') return answer
    leftMs = patienceMs
  }
  return null
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** The place of the database may be gone. Gives the directories that were made, the deepest first; null: it cannot be. */
function makeDirectory(wanted: string): readonly string[] | null {
  const missing: string[] = []
  for (let level = wanted; !existsSync(level) && dirname(level) !== level; level = dirname(level)) {
    missing.push(level)
  }
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 })
    return missing
  } catch {
    return null
  }
}

/** Nothing is left of the asking. */
function removeEmpty(directories: readonly string[]): void {
  try {
    for (const directory of directories) rmdirSync(directory)
  } catch {
    // Something else is in it by now.
  }
}
