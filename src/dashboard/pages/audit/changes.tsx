/** What a line says of an object: before and afterwards, side by side. */
import type { AuditLine } from '../../../client/index.ts'
import { Rows } from '../../kit/keyset-table.tsx'
import { changesOf } from './words.ts'

/** So many names are told before somebody looks closer. */
const toldNames = 3

export function Changes({ of }: { readonly of: AuditLine }) {
  const changes = changesOf(of)
  if (changes.length === 0) return '–'
  const names = changes.map(({ name }) => name)
  const more = names.length - toldNames
  return (
    <details>
      <summary>
        {names.slice(0, toldNames).join(', ')}
        {more > 0 && ` and ${more} more`}
      </summary>
      <Rows
        label={`Changes of ${of.action}`}
        rows={changes}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Member', cell: ({ name }) => name },
          ...(of.before === null
            ? []
            : [{ title: 'Before', cell: ({ before }: (typeof changes)[number]) => <Value of={before} /> }]),
          ...(of.after === null
            ? []
            : [{ title: 'After', cell: ({ after }: (typeof changes)[number]) => <Value of={after} /> }]),
        ]}
      />
    </details>
  )
}

function Value({ of }: { readonly of: string | null }) {
  return of === null || of === '' ? '–' : <code>{of}</code>
}
