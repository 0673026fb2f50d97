/** What the server is, what is found in its store, and how it is set. */
import type { Finding, Setting, System } from '../../../client/index.ts'
import { useUrlState } from '../../kit/address.ts'
import { Badge, Facts, Loading, PageHeading, Part, Problem } from '../../kit/detail.tsx'
import { type Column, Rows } from '../../kit/keyset-table.tsx'
import { processRoleText } from '../../kit/process-role.ts'
import { flag } from '../../kit/url-values.ts'
import { useAnswer } from '../../kit/use-answer.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'

export function Page() {
  const { value: system, problem, again, isLoading } = useAnswer('system', (call) => server.system.get(call))
  return (
    <>
      <PageHeading
        actions={
          <button type="button" aria-disabled={isLoading} onClick={() => !isLoading && again()}>
            Look again
          </button>
        }
      >
        System
      </PageHeading>
      {problem !== null && <Problem what="The system could not be read" why={problem} onAgain={again} />}
      {system === null && problem === null && <Loading />}
      {system !== null && (
        <>
          <Process of={system} />
          <Findings of={system} />
          <Settings all={system.settings} />
        </>
      )}
    </>
  )
}

const storeKinds = { memory: 'memory', sqlite: 'SQLite', postgres: 'PostgreSQL' }

function Process({ of: { outhookVersion, nodeVersion, role, startedAt, store } }: { readonly of: System }) {
  return (
    <Part title="What runs">
      <Facts
        of={[
          ['Outhook', outhookVersion],
          ['Node.js', nodeVersion],
          ['Role', processRoleText(role)],
          ['Running since', <Time key="since" at={startedAt} />],
          ['Store', storeKinds[store.kind]],
          [store.kind === 'sqlite' ? 'File' : 'Where', <code key="where">{store.location}</code>],
          ['Schema', `version ${store.schemaVersion}`],
        ]}
      />
      <p class="hint">Of several processes on one database, this is the one that has answered.</p>
    </Part>
  )
}

const looks = { ok: 'good', warning: 'plain', problem: 'bad' } as const
const order = ['problem', 'warning', 'ok']

const findingColumns: readonly Column<Finding>[] = [
  { title: 'Level', cell: ({ level }) => <Badge is={looks[level]}>{level}</Badge> },
  { title: 'Looked at', cell: ({ check }) => check },
  {
    title: 'Found',
    cell: ({ found, advice }) => (
      <>
        {found}
        {advice !== null && <p class="hint">{advice}</p>}
      </>
    ),
  },
]

function Findings({ of: { findings, lengthyChecks, examinedAt } }: { readonly of: System }) {
  const worstFirst = findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
  return (
    <Part title="What is found in the store">
      <p>
        {summaryOf(findings)} Examined <Time at={examinedAt} />.
      </p>
      <Rows
        label="Findings"
        rows={worstFirst}
        keyOf={({ check, found }) => `${check} ${found}`}
        columns={findingColumns}
      />
      {lengthyChecks.length > 0 && (
        <p class="hint">
          Not looked at here, because whole tables are read for it: {lengthyChecks.join(', ')}. Run{' '}
          <code>outhook doctor</code> with the settings of the server; it may run beside it.
        </p>
      )}
    </Part>
  )
}

function summaryOf(findings: readonly Finding[]): string {
  const [problems, warnings] = ['problem', 'warning'].map(
    (level) => findings.filter((finding) => finding.level === level).length,
  )
  if (problems === 0 && warnings === 0) return 'All is well.'
  return `${problems} ${problems === 1 ? 'problem' : 'problems'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}

const shape = { defaults: flag }

const settingColumns: readonly Column<Setting>[] = [
  {
    title: 'Setting',
    cell: ({ name, description }) => (
      <>
        <code>{name}</code>
        <p class="hint">{description.replaceAll('`', '')}</p>
      </>
    ),
  },
  { title: 'Value', cell: (one) => <SettingValue of={one} /> },
  { title: 'From', cell: ({ source }) => (source === null ? 'not known' : (source.name ?? source.kind)) },
]

function SettingValue({ of: { value, meaning, isSecret, isSet } }: { readonly of: Setting }) {
  if (isSecret) return isSet ? 'set; it is a secret, and never shown' : 'not set'
  if (value === null) return <>{(meaning ?? 'not set').replaceAll('`', '')}</>
  return value === '' ? 'none' : <code>{value}</code>
}

function Settings({ all }: { readonly all: readonly Setting[] }) {
  const [{ defaults }, set] = useUrlState(shape)
  const shown = defaults ? all : all.filter(({ isSet }) => isSet)
  return (
    <Part title="Settings in force">
      <div class="bar filters">
        <label>
          <input
            type="checkbox"
            checked={defaults}
            onChange={({ currentTarget }) => set({ defaults: currentTarget.checked })}
          />{' '}
          Also those that nobody has set
        </label>
      </div>
      {shown.length === 0 ? (
        <div class="empty">Nobody has set any; each has its default.</div>
      ) : (
        <Rows label="Settings" rows={shown} keyOf={({ name }) => name} columns={settingColumns} />
      )}
    </Part>
  )
}
