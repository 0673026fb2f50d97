/** `<db>.unchecked`: the database is to be checked before it is used again. It outlives the process that found out. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'

export function markUnchecked(path: string): void {
  try {
    writeFileSync(nameOf(path), '', { mode: 0o600 })
  } catch {
    // On a disk that is full or gone: then what keeps the mark from being made is met at the next start too.
  }
}

export function isUnchecked(path: string): boolean {
  return existsSync(nameOf(path))
}

export function clearUnchecked(path: string): void {
  rmSync(nameOf(path), { force: true })
}

function nameOf(path: string): string {
  return `${path}.unchecked`
}
