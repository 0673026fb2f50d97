/**
 * Schemas as functions, by ajv. It writes JavaScript and has the engine compile that; why this is safe with schemas of
 * strangers is in docs/decisions/0011-schema-validator.md: it gets what `readSchema` made, and each part of a check
 * pays before it runs. It is loaded by the first schema that has to be checked, never by a process that has none.
 */
import type { Ajv2020, ErrorObject, ValidateFunction } from '../bundled/ajv.ts'
import { BudgetSpent, CheckBudget } from './check-budget.ts'
import { addOwnKeywords } from './own-keywords.ts'
import { Pattern } from './pattern.ts'
import { costKeyword, readSchema, SchemaRefused } from './read-schema.ts'
import { describeViolation, type Violation } from './violation.ts'

/** Null: the payload is as the schema says. */
export type PayloadCheck = (payload: unknown) => Violation | null

type Library = typeof import('../bundled/ajv.ts')

let loading: Promise<SchemaCompiler> | null = null

/** One for the process: what it has compiled serves whoever has the same schema. */
export function loadSchemaCompiler(): Promise<SchemaCompiler> {
  loading ??= import('../bundled/ajv.ts').then((library) => new SchemaCompiler(library))
  return loading
}

/** Compiled schemas that are kept: beyond these, those that nobody asked for lately go. */
const maxKept = 2000

export class SchemaCompiler {
  readonly #library: Library
  readonly #budget = new CheckBudget()
  /** Validates schemas. */
  #meta: Ajv2020 | null = null
  /** By the text of the schema, the oldest use first. */
  readonly #kept = new Map<string, PayloadCheck>()

  constructor(library: Library) {
    this.#library = library
  }

  /** Throws a `SchemaRefused`, which says what is wrong and where. */
  check(schema: unknown): void {
    readSchema(schema)
    this.#meta ??= new this.#library.Ajv2020({ strict: false, validateFormats: false })
    if (this.#meta.validateSchema(withoutId(schema)) !== true) {
      const [error] = this.#meta.errors ?? []
      throw new SchemaRefused(describeSchemaError(error))
    }
    this.compile(JSON.stringify(schema))
  }

  /** Of the text of a schema that was checked before. */
  compile(text: string): PayloadCheck {
    const kept = this.#kept.get(text) ?? this.#compile(text)
    this.#kept.delete(text)
    this.#kept.set(text, kept)
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value as string)
    return kept
  }

  #compile(text: string): PayloadCheck {
    const schema = named(readSchema(JSON.parse(text)))
    let validate: ValidateFunction
    try {
      validate = this.#createAjv().compile(schema)
    } catch (error) {
      throw new SchemaRefused(`schema cannot be used: ${(error as Error).message}`)
    }
    return (payload) => this.#run(validate, payload)
  }

  #run(validate: ValidateFunction, payload: unknown): Violation | null {
    this.#budget.begin()
    try {
      if (validate(payload)) return null
      return describeViolation(validate.errors ?? [])
    } catch (error) {
      // A stack that overflows is a schema that refers to itself, or a payload that is nested too deeply for it.
      if (error instanceof BudgetSpent || error instanceof RangeError) return tooMuch
      throw error
    }
  }

  /** One for each schema, which it would keep as long as it lives. It costs half a millisecond. */
  #createAjv(): Ajv2020 {
    const budget = this.#budget
    const toPattern = (source: string) => {
      const pattern = new Pattern(source, budget)
      // The compiler knows expressions by their text.
      return { test: (text: string) => pattern.test(text), toString: () => source }
    }
    const ajv = new this.#library.Ajv2020({
      strict: false,
      logger: false,
      meta: false,
      validateSchema: false,
      validateFormats: false,
      addUsedSchema: false,
      inlineRefs: false,
      // Every object has a `constructor` that it did not come with.
      ownProperties: true,
      code: { regExp: Object.assign(toPattern, { code: 'toPattern' }) as never },
    })
    ajv.addKeyword({
      keyword: costKeyword,
      schemaType: 'number',
      before: '$ref',
      errors: false,
      validate: (cost: number, data: unknown) => {
        budget.spend(cost + sizeOf(data))
        return true
      },
    })
    addOwnKeywords(ajv, budget)
    return ajv
  }
}

const tooMuch: Violation = {
  path: '',
  message: 'cannot be checked: the schema takes too long for this payload; make one of them simpler',
}

/** What each keyword of a part may have to walk over once. */
function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length >> 6
  if (typeof data !== 'object' || data === null) return 0
  return Array.isArray(data) ? data.length >> 3 : Object.keys(data).length * 2
}

/** Without an id of the whole the library does not find "#". */
function named(schema: ReturnType<typeof readSchema>) {
  return typeof schema === 'boolean' ? schema : { $id: 'urn:outhook:schema', ...schema }
}

function withoutId(schema: unknown): never {
  if (typeof schema !== 'object' || schema === null) return schema as never
  const { $id: _id, ...rest } = schema as { readonly $id?: unknown }
  return rest as never
}

function describeSchemaError(error: ErrorObject | undefined): string {
  if (error === undefined) return 'schema is no JSON Schema'
  return `schema${error.instancePath.replaceAll('/', '.')} ${error.message ?? 'is not as JSON Schema says'}`
}
