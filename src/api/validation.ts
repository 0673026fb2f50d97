/**
 * Strict validation with TypeBox's compiler: nothing is converted, dropped or filled in. A member of the wrong type,
 * or one that is not known, is refused with its path and with what is allowed there.
 */
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from '../bundled/typebox.ts'
import { type ErrorCode, OuthookError } from '../core/errors.ts'
import { formOf } from './form-of.ts'

interface SchemaProblem {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

interface SchemaNode {
  readonly [keyword: string]: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
}

type Verdict = { readonly value: unknown } | { readonly error: OuthookError }

const maxProblems = 5

export const strictCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  if (httpPart === 'body') return compileBody(schema)
  if (httpPart === 'querystring') return compileQuery(schema)
  // Path parts are any text to the router; whether they are ids is the handler's question, and its answer a 404.
  return (value: unknown): Verdict => ({ value })
}

function compileBody(whole: TSchema): (value: unknown) => Verdict {
  const schema = formOf(whole)
  const check = Compile(schema)
  return (value) => {
    // Fastify gives null for a body that was left out; one that says null was refused before.
    if (value === null) {
      return { error: new OuthookError('invalid_body', 'the body is empty; send a JSON object') }
    }
    if (check.Check(value)) return { value }
    return { error: refuse('invalid_body', check.Errors(value), schema, 'the body') }
  }
}

/** Query values arrive as text: numbers and booleans are read from exactly one spelling each. */
function compileQuery(whole: TSchema): (value: unknown) => Verdict {
  const schema = formOf(whole)
  const check = Compile(schema)
  const properties = (schema as SchemaNode).properties ?? {}
  return (raw) => {
    const query: Record<string, unknown> = {}
    for (const [name, text] of Object.entries(raw as Readonly<Record<string, unknown>>)) {
      if (typeof text !== 'string') {
        return {
          error: new OuthookError('invalid_request', `${clip(name)} is given more than once; give it once`),
        }
      }
      query[name] = readText(text, properties[name]?.type)
    }
    if (check.Check(query)) return { value: query }
    return { error: refuse('invalid_request', check.Errors(query), schema, 'the query') }
  }
}

/** Escapes that are no text would else be taken for the text that spells them. */
export function brokenQuery(url: string): OuthookError | null {
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('%', at)) return null
  const broken = url
    .slice(at + 1)
    .split('&')
    // A cursor has an error of its own.
    .find((part) => !part.startsWith('cursor=') && !isDecodable(part))
  if (broken === undefined) return null
  const name = clip(broken.split('=')[0] ?? '')
  return new OuthookError(
    'invalid_request',
    `${name} has percent escapes that are not UTF-8; write each reserved character as %XX`,
  )
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}

function readText(text: string, type: unknown): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

function refuse(
  code: ErrorCode,
  problems: readonly SchemaProblem[],
  schema: TSchema,
  whole: string,
): OuthookError {
  const told = problems.filter(({ keyword }) => keyword !== 'boolean')
  const sentences = told
    .slice(0, maxProblems)
    .flatMap((problem) => describe(problem, schema as SchemaNode, whole))
  return new OuthookError(code, [...new Set(sentences)].join('; '))
}

function describe(
  { keyword, schemaPath, instancePath, params, message }: SchemaProblem,
  root: SchemaNode,
  whole: string,
) {
  const path = readablePath(instancePath)
  const subject = path === '' ? whole : path
  const node = nodeAt(root, schemaPath)
  switch (keyword) {
    case 'required':
      return (params as { requiredProperties: string[] }).requiredProperties.map(
        (name) => `${join(path, name)} is required`,
      )
    case 'additionalProperties': {
      // It has any name, and another problem says what is wrong with its value.
      if (typeof node?.additionalProperties === 'object') return []
      const known = Object.keys(node?.properties ?? {})
      const allowed = known.length === 0 ? 'nothing is allowed there' : `allowed: ${known.join(', ')}`
      return (params as { additionalProperties: string[] }).additionalProperties
        .slice(0, maxProblems)
        .map((name) => `${join(path, clip(name))} is not known; ${allowed}`)
    }
    case 'type':
      return [
        `${subject} must be ${listed([(params as { type: string | string[] }).type].flat().map(withArticle))}`,
      ]
    case 'enum':
      return [
        `${subject} must be ${listed((params as { allowedValues: unknown[] }).allowedValues.map((v) => JSON.stringify(v)))}`,
      ]
    case 'minimum':
    case 'maximum':
      return [`${subject} must be from ${node?.minimum ?? '-∞'} to ${node?.maximum ?? '∞'}`]
    default:
      return [`${subject} ${message}`]
  }
}

/** `/topics/0` as `topics[0]`. */
function readablePath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : join(path, clip(part))), '')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function nodeAt(root: SchemaNode, schemaPath: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const part of schemaPath.split('/').slice(1)) {
    node = node?.[part.replaceAll('~1', '/').replaceAll('~0', '~')] as SchemaNode | undefined
  }
  return node
}

function withArticle(type: string): string {
  if (type === 'null') return 'null'
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function clip(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}
