import { type Command, Option } from 'commander'
import type { EventType, EventTypeChange, EventTypeImportReport } from '../client/generated/types.ts'
import { type EventTypeMode, eventTypeModes } from '../core/event-type.ts'
import { addApiCommand } from './api-command.ts'
import { counted } from './counted.ts'
import { addIfMatch, type IfMatchOption, ifMatchIn } from './if-match-option.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import type { PageOptions } from './page-options.ts'
import { addPageOptions, pageQuery } from './page-options.ts'
import { parseText } from './pyfly/parse-text.ts'
import { readWhole } from './read-secret.ts'
import { type Column, renderTable } from './table.ts'

const columns: readonly Column<EventType>[] = [
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'GROUP', kind: 'text', value: (row) => row.group },
  { title: 'MODE', value: (row) => row.mode },
  { title: 'SCHEMA', value: (row) => row.schema !== null },
  { title: 'DEPRECATED', value: (row) => row.deprecated },
  { title: 'OF', value: (row) => (row.tenantId === null ? 'server' : 'tenant') },
  { title: 'DESCRIPTION', kind: 'text', value: (row) => row.description.split('\n')[0] },
]

interface ContentOptions {
  readonly description?: string
  readonly group?: string
  readonly schema?: string
  readonly example?: string
  readonly mode?: EventTypeMode
}

interface ListOptions extends PageOptions {
  readonly group?: string
  readonly deprecated?: boolean
  readonly own?: boolean
}

const whose =
  'Without --tenant they are those of the server, which hold for every tenant. A tenant’s own type holds in place of the server’s of that name.'

export function register(command: Command, io: CliIo): void {
  const create = addApiCommand(
    command,
    'create <name>',
    'describe a topic, and say how payloads are checked',
    io,
  )
  addContentOptions(create).option('--deprecated', 'say that it is not to be relied on any more')
  addNotes(create, whose)
  create.run<ContentOptions & { deprecated?: true }>(
    async ({ client, print }, [name = ''], { deprecated, ...options }) => {
      const content = await contentOf(options, io)
      print.answer('EventType', await client.eventTypes.create({ name, ...content, deprecated }))
    },
  )

  const list = addApiCommand(command, 'list', 'by name', io)
  list
    .option('--group <group>', 'of this group')
    .option('--deprecated', 'only those that are deprecated')
    .option('--no-deprecated', 'only those that are not')
    .option('--own', 'of a tenant: without those of the server')
  addPageOptions(list).run<ListOptions>(async ({ client, print }, _args, options) => {
    const { group, deprecated, own } = options
    const query = { ...pageQuery(options), group, deprecated, own }
    print.page('EventType', await client.eventTypes.list(query), columns)
  })

  addApiCommand(command, 'get <name>', 'one event type, with its schema and example', io).run(
    async ({ client, print }, [name = '']) => {
      print.answer('EventType', await client.eventTypes.get(name))
    },
  )
  registerChanges(command, io)
  registerImport(command, io)
}

function registerChanges(command: Command, io: CliIo): void {
  const update = addApiCommand(command, 'update <name>', 'change what is given, leave the rest', io)
  addContentOptions(addIfMatch(update))
  update.run<ContentOptions & IfMatchOption>(async ({ client, print }, [name = ''], options) => {
    const body = await contentOf(options, io)
    print.answer('EventType', await client.eventTypes.update(name, body, ifMatchIn(options)))
  })

  for (const [word, deprecated, text] of [
    ['deprecate', true, 'say that it is not to be relied on any more; it is published as before'],
    ['restore', false, 'say that it is to be relied on again'],
  ] as const) {
    const change = addIfMatch(addApiCommand(command, `${word} <name>`, text, io))
    change.run<IfMatchOption>(async ({ client, print }, [name = ''], options) => {
      print.answer('EventType', await client.eventTypes.update(name, { deprecated }, ifMatchIn(options)))
    })
  }

  const deleteText = 'delete it; its topic is published as before, and not checked'
  const remove = addIfMatch(addApiCommand(command, 'delete <name>', deleteText, io))
  remove.run<IfMatchOption>(async ({ client, print }, [name = ''], options) => {
    await client.eventTypes.delete(name, ifMatchIn(options))
    print.object({ name, deleted: true })
  })
}

function registerImport(command: Command, io: CliIo): void {
  const text = 'bring the catalogue to what an OpenAPI 3.1 document says of its webhooks'
  const importing = addApiCommand(command, 'import <file>', text, io)
  importing
    .addOption(modeOption('how payloads of types that are new are checked (default: off)'))
    .option('--dry-run', 'do nothing, and say what would be done')
  addNotes(
    importing,
    `The file is JSON or YAML; "-" is standard input. All of it is taken or nothing. Types that are there keep their mode and what the document does not say; types that it does not have stay as they are. ${whose}`,
  )
  importing.run<{ mode?: EventTypeMode; dryRun?: true }>(
    async ({ client, print }, [file = ''], { mode, dryRun }) => {
      const document = (await readDocument(file, io)) as Readonly<Record<string, unknown>>
      const report = await client.eventTypes.importMany({ document, mode, dryRun })
      if (print.json) {
        const { created, changed, unchanged, items } = report
        print.object({ dry_run: report.dryRun, created, changed, unchanged, items })
        return
      }
      const { isTerminal: colour, width } = io
      print.note(renderTable(importColumns, report.items, { colour, width }))
      print.note(`\n${summaryOf(report)}`)
    },
  )
}

const importColumns: readonly Column<EventTypeImportReport['items'][number]>[] = [
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'RESULT', value: (row) => row.result },
  { title: 'NOTE', kind: 'text', value: (row) => row.note ?? null },
]

function summaryOf({ dryRun, created, changed, unchanged }: EventTypeImportReport): string {
  const would = dryRun ? ' would be' : ''
  return `${counted(created, 'event type')}${would} created, ${changed}${would} changed, ${unchanged} left as they are`
}

function addContentOptions(command: Command): Command {
  return command
    .option('--description <text>', 'for the developers of those who receive it')
    .option('--group <group>', 'what it is listed under, or none')
    .option(
      '--schema <file>',
      'JSON Schema 2020-12 of the payload: JSON or YAML, "-" is standard input, or none',
    )
    .option('--example <file>', 'a payload: JSON or YAML, "-" is standard input, or none')
    .addOption(modeOption('refuse payloads that are not as the schema says, warn of them, or do not look'))
}

function modeOption(text: string): Option {
  return new Option('--mode <mode>', text).choices([...eventTypeModes])
}

/** Absent members disappear in JSON, and so stay as they are. */
async function contentOf({ description, group, schema, example, mode }: ContentOptions, io: CliIo) {
  return {
    description,
    group: group === 'none' ? null : group,
    // What is no schema the server refuses, with the reason.
    schema: (await readPart(schema, io)) as EventTypeChange['schema'],
    example: await readPart(example, io),
    mode,
  }
}

async function readPart(file: string | undefined, io: CliIo): Promise<unknown> {
  if (file === undefined) return undefined
  return file === 'none' ? null : readDocument(file, io)
}

async function readDocument(file: string, io: CliIo): Promise<unknown> {
  const text = (await readWhole(file, io)) ?? ''
  return (await parseText(text, file === '-' ? 'standard input' : file)).root
}
