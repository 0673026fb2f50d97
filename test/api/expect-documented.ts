/** Holds an answer against the OpenAPI document: its status, its headers, its content type and its body. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import { isTime } from './rfc3339.ts'

type Json = { readonly [member: string]: unknown }

interface Response {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Record<string, Response> }>>>
  >
  readonly components: { readonly schemas: Json; readonly responses: Readonly<Record<string, Response>> }
}

const document: Document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/reference/openapi.json'), 'utf8'),
)
const ajv = new Ajv2020({ strict: false, allErrors: true })
ajv.addFormat('date-time', isTime)
for (const name of ['uri', 'uri-reference']) ajv.addFormat(name, (text) => !/\s/.test(text))
ajv.addSchema({ $id: 'openapi', components: document.components })

const templates = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
}))
const compiled = new Map<string, ValidateFunction>()

export interface SeenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What is no route of the document, and what its method is not, is left alone: those are answered without one. */
export function expectDocumented(method: string, url: string, answer: SeenAnswer): void {
  const [path = ''] = url.split('?')
  // A whole path before one with a parameter.
  const found = templates.filter(({ pattern }) => pattern.test(path))
  const template = (found.find((one) => one.path === path) ?? found[0])?.path
  const operation = document.paths[template ?? '']?.[method.toLowerCase()]
  if (template === undefined || operation === undefined) return
  const name = `${method} ${template} ${answer.status}`
  const response = resolve(operation.responses[answer.status])
  expect(response, `${name} is not in the document: ${answer.text.slice(0, 200)}`).toBeDefined()
  if (response === undefined) return
  for (const [header, { required }] of Object.entries(response.headers ?? {})) {
    if (required === true) expect(answer.headers.has(header), `${name} lacks ${header}`).toBe(true)
  }
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const types = Object.keys(response.content ?? {})
  if (types.length === 0 || answer.text === '') return
  expect(types, `${name} has another content type`).toContain(type)
  if (!type.endsWith('json')) return
  const check = checkerOf(name, response.content?.[type]?.schema ?? {})
  const value: unknown = JSON.parse(answer.text)
  if (!check(value))
    expect.fail(`${name} is not as the document says: ${ajv.errorsText(check.errors)}\n${answer.text}`)
  expectKnownMembers(name, value, response.content?.[type]?.schema ?? {})
}

function resolve(response: Response | undefined): Response | undefined {
  const name = response?.$ref?.split('/').at(-1)
  return name === undefined ? response : document.components.responses[name]
}

function checkerOf(name: string, schema: object): ValidateFunction {
  const known = compiled.get(name)
  if (known !== undefined) return known
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/')
  const made = ajv.compile(JSON.parse(text))
  compiled.set(name, made)
  return made
}

interface ObjectSchema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, ObjectSchema>>
  readonly additionalProperties?: unknown
  readonly items?: ObjectSchema
}

/** Members that the document does not name would be hidden from whoever reads it. */
function expectKnownMembers(name: string, value: unknown, given: ObjectSchema): void {
  const schema =
    given.$ref === undefined
      ? given
      : (document.components.schemas[given.$ref.split('/').at(-1) ?? ''] as ObjectSchema)
  if (Array.isArray(value)) {
    for (const item of value) if (schema.items !== undefined) expectKnownMembers(name, item, schema.items)
    return
  }
  const { properties } = schema
  if (typeof value !== 'object' || value === null || properties === undefined) return
  for (const [member, part] of Object.entries(value)) {
    const known = properties[member]
    if (known === undefined) expect.fail(`${name} has the member ${member}, which the document does not name`)
    expectKnownMembers(name, part, known)
  }
}
