/** The catalogue out of an OpenAPI document: first what it would do, then it is done. */
import { useState } from 'preact/hooks'
import type { EventTypeImport, EventTypeImportReport } from '../../../client/index.ts'
import { goTo, hrefOf } from '../../kit/address.ts'
import { PageHeading, Part } from '../../kit/detail.tsx'
import { Form, type FormValues, SelectField, TextField, TickField } from '../../kit/form.tsx'
import { asJsonOrNull } from '../../kit/form-fields.ts'
import { Rows } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useTell } from '../../kit/results.tsx'
import { useSession } from '../../kit/session.ts'
import { server } from '../../server.ts'
import { modes } from './event-type-fields.ts'

export function Page() {
  const { call } = useSession()
  const tell = useTell()
  const [report, setReport] = useState<EventTypeImportReport | null>(null)
  const send = async (values: FormValues) => {
    const document = asJsonOrNull('document')(values('document'))
    const dryRun = values('dry_run') === 'true'
    const body = { document: document ?? {}, mode: values('mode'), dryRun } as EventTypeImport
    const made = await server.eventTypes.importMany(body, call)
    setReport(made)
    tell(dryRun ? 'Nothing was done; below is what would be.' : 'The document was imported.')
  }
  return (
    <>
      <PageHeading>Import event types</PageHeading>
      <Form submit="Import" needs="admin" onSubmit={send} onCancel={() => goTo('event-types')}>
        <TextField
          name="document"
          label="OpenAPI 3.1 document"
          hint="JSON, whose webhooks are taken, all of them or none. The command line takes YAML too: outhook event-types import openapi.yaml"
          rows={14}
          value=""
        />
        <SelectField
          name="mode"
          label="Payloads of new types that are not as their schema says"
          value="off"
          options={modes}
        />
        <TickField name="dry_run" label="Only say what would be done" isTicked />
      </Form>
      {report !== null && <Report of={report} />}
    </>
  )
}

function Report({ of }: { readonly of: EventTypeImportReport }) {
  return (
    <Part title={of.dryRun ? 'What would be done' : 'What was done'}>
      <p>
        {of.created} created, {of.changed} changed, {of.unchanged} left as they are.
      </p>
      <Rows
        label="Event types of the document"
        rows={of.items}
        keyOf={({ name }) => name}
        columns={[
          {
            title: 'Name',
            cell: ({ name, result }) =>
              of.dryRun && result === 'created' ? (
                name
              ) : (
                <a href={hrefOf(pathOf('event-types', name))}>{name}</a>
              ),
          },
          { title: 'Result', cell: ({ result }) => result },
          { title: 'Note', cell: ({ note }) => note ?? '–' },
        ]}
      />
    </Part>
  )
}
