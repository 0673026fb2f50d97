/** Members of a parsed file, each with its place. What is wrong is collected, so that one run names all of it. */
import { nearestName } from '../../config/nearest-name.ts'
import type { Located, Place } from './callback-file.ts'

export type Path = readonly (string | number)[]

export interface FileText {
  readonly root: unknown
  /** Of the member, or of the nearest thing around it that the file has. */
  lineOf(path: Path): number
}

export interface Problem {
  readonly place: Place
  /** What is wrong; never the value, which may be a secret. */
  readonly problem: string
}

type Read<T> = (value: unknown) => T | null

export class FileMembers {
  readonly problems: Problem[] = []
  readonly #text: FileText

  constructor(text: FileText) {
    this.#text = text
  }

  place(path: Path): Place {
    return { path: pathText(path), line: this.#text.lineOf(path) }
  }

  refuse(path: Path, problem: string): void {
    this.problems.push({ place: this.place(path), problem })
  }

  /** An object's members; null, and refused, for anything else. */
  object(value: unknown, path: Path): Readonly<Record<string, unknown>> | null {
    if (isObject(value)) return value
    this.refuse(path, 'must be an object')
    return null
  }

  /** Absent and null are an empty list. */
  list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value
    this.refuse(path, 'must be a list')
    return []
  }

  /** `read` gives null for what it does not take. Of what is absent or null the fallback. */
  value<T>(
    value: unknown,
    path: Path,
    { read, form, fallback }: { readonly read: Read<T>; readonly form: string; readonly fallback: T },
  ): Located<T> {
    const place = this.place(path)
    if (value === undefined || value === null) return { value: fallback, place }
    const known = read(value)
    if (known === null) this.refuse(path, `must be ${form}`)
    return { value: known ?? fallback, place }
  }

  text(value: unknown, path: Path, fallback = ''): Located<string> {
    const form = typeof value === 'number' ? 'text; write it in quotes' : 'text'
    return this.value(value, path, {
      read: (given) => (typeof given === 'string' ? given : null),
      form,
      fallback,
    })
  }

  requiredText(value: unknown, path: Path): Located<string> {
    const found = this.text(value, path)
    if (found.value === '' && (value === undefined || value === null || value === '')) {
      this.refuse(path, 'is missing')
    }
    return found
  }

  /**
   * Members that are none of `known`. One that is nearly one of them was meant to be it, and is refused: a secret under
   * a wrong name would leave requests unsigned.
   */
  unknown(value: Readonly<Record<string, unknown>>, path: Path, known: readonly string[]): readonly string[] {
    return Object.keys(value).filter((name) => {
      if (known.includes(name)) return false
      const meant = nearestName(name, known)
      if (meant === null) return true
      this.refuse([...path, name], `is not known; did you mean ${meant}?`)
      return false
    })
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isWhole(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null
}

function pathText(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : memberText(part))).join('')
  return text.replace(/^\./, '') || 'the file'
}

/** A name of the file's own, such as a header's, may be anything. */
function memberText(name: string): string {
  return /^[\w-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 64))}]`
}
