/** From the webhooks of an OpenAPI document to what is put into a catalogue. */
import { OuthookError } from '../core/errors.ts'
import type { EventTypeMode } from '../core/event-type.ts'
import { type DescribedEvent, readWebhooks } from '../core/openapi-webhooks.ts'
import type { EventTypePut, PutResult } from '../store/port.ts'
import {
  checkEventTypeName,
  checkExample,
  checkGroup,
  checkTypeDescription,
  toText,
} from './event-type-input.ts'

export interface ImportInput {
  /** An OpenAPI 3.1 document, parsed. */
  readonly document: unknown
  /** Of types that are new and have a schema; default `off`. */
  readonly mode?: EventTypeMode
  /** True: nothing is done, and the report says what would be. Default false. */
  readonly dryRun?: boolean
}

export interface ImportedType {
  readonly name: string
  readonly result: PutResult
  /** What was not taken of it, and why. */
  readonly note?: string
}

export interface ImportReport {
  readonly dryRun: boolean
  readonly created: number
  readonly changed: number
  readonly unchanged: number
  /** In the order of the document. Types that it does not have stay as they are. */
  readonly items: readonly ImportedType[]
}

export interface PlannedImport {
  readonly put: EventTypePut
  readonly note?: string
}

/** Throws the error of the use case for the type alone, whose content is given whole. */
export type ContentCheck = (content: {
  readonly schema: string | null
  readonly example: string | null
  readonly mode: EventTypeMode
}) => Promise<void>

/** Throws `unprocessable`, which names the webhook. */
export async function planImport(document: unknown, check: ContentCheck): Promise<readonly PlannedImport[]> {
  const planned: PlannedImport[] = []
  for (const described of readWebhooks(document)) {
    try {
      planned.push(await planType(described, check))
    } catch (error) {
      if (!(error instanceof OuthookError)) throw error
      throw new OuthookError('unprocessable', `webhook ${JSON.stringify(described.name)}: ${error.message}`)
    }
  }
  return planned
}

async function planType(described: DescribedEvent, check: ContentCheck): Promise<PlannedImport> {
  const { description, group, schema, example, deprecated } = described
  const put: EventTypePut = {
    name: checkEventTypeName(described.name),
    ...(description !== undefined && { description: checkTypeDescription(description) }),
    ...(group !== undefined && { group: checkGroup(group) }),
    ...(schema !== undefined && { schema: toText(schema, 'schema') }),
    ...(deprecated !== undefined && { deprecated }),
  }
  await check({ schema: put.schema ?? null, example: null, mode: 'off' })
  if (example === undefined) return { put }
  const text = checkExample(example)
  try {
    await check({ schema: put.schema ?? null, example: text, mode: 'off' })
  } catch (error) {
    // Documents have examples that are only nearly right; a page that shows them would mislead.
    return { put, note: `the example was left out: ${(error as Error).message}` }
  }
  return { put: { ...put, example: text } }
}
