import type { Stats, Trouble, TroubledEndpoint } from '../../../client/index.ts'
import { hrefOf } from '../../kit/address.ts'
import { Badge, Part, Problem } from '../../kit/detail.tsx'
import { countText, msText, outcomeText, percentText, secondsText } from '../../kit/figure-text.ts'
import { type Column, Rows } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { processRoleText } from '../../kit/process-role.ts'
import { useSession } from '../../kit/session.ts'
import type { Answer } from '../../kit/use-answer.ts'
import { Time } from '../../times.tsx'

export function WorstEndpoints({ trouble }: { readonly trouble: Answer<Trouble> }) {
  const { isOfAllTenants } = useSession()
  const { value, problem, again } = trouble
  return (
    <Part title="Endpoints in trouble">
      {problem !== null && <Problem what="They could not be read" why={problem} onAgain={again} />}
      {value?.items.length === 0 && <p class="empty">None: every endpoint takes what is sent to it.</p>}
      {value !== null && value.items.length > 0 && (
        <Rows
          label="Endpoints in trouble"
          rows={value.items}
          keyOf={({ endpointId }) => endpointId}
          columns={troubleColumns(isOfAllTenants)}
        />
      )}
    </Part>
  )
}

/** @param ofAll pages of one endpoint are those of its tenant, which the address has to name then. */
function troubleColumns(ofAll: boolean): readonly Column<TroubledEndpoint>[] {
  const hrefTo = ({ endpointId, tenantId }: TroubledEndpoint) =>
    hrefOf(pathOf('endpoints', endpointId), ofAll ? { tenant: tenantId } : {})
  return [
    {
      title: 'Endpoint',
      cell: (one) => (
        <>
          <a href={hrefTo(one)}>{one.uid ?? one.url}</a>
          {one.description !== '' && <p class="hint">{one.description}</p>}
        </>
      ),
    },
    { title: 'State', cell: ({ kind }) => <Badge is="bad">{kind}</Badge> },
    { title: 'Why', cell: ({ reason }) => reason },
    { title: 'Since', cell: ({ since }) => (since === null ? '–' : <Time at={since} />) },
    { title: 'Sent to again', cell: ({ until }) => (until === null ? '–' : <Time at={until} />) },
    {
      title: 'Last minutes',
      cell: ({ recentAttempts, recentSuccessRate, recentLatencyMs }) =>
        recentAttempts === 0
          ? 'no attempts'
          : `${percentText(recentSuccessRate)} of ${countText(recentAttempts)}, half within ${msText(recentLatencyMs.p50)}`,
    },
  ]
}

/** Of these the list of dead letters knows the class by the same name. Others are of several classes, such as each 5xx. */
const listed = new Set(['timeout', 'connection', 'dns', 'tls', 'policy', 'internal', 'http_429'])

/** A day before, in whole minutes as the list's own filter has them. */
function dayBefore(moment: string): string {
  const at = Date.parse(moment) - 86_400_000
  return new Date(at - (at % 60_000)).toISOString()
}

export function DeadLetterReasons({ of: { deadLetters, readAt } }: { readonly of: Stats }) {
  const { isOfAllTenants } = useSession()
  const reasons = deadLetters.lastDay.toSorted((a, b) => b.count - a.count)
  // The list is of one tenant; the address says of which.
  const tenant = isOfAllTenants ? 'default' : ''
  const hrefTo = (outcome: string) =>
    hrefOf('dead-letters', { error: outcome, since: dayBefore(readAt), tenant })
  return (
    <Part title="Given up in 24 hours">
      {reasons.length === 0 ? (
        <p class="empty">Nothing was given up.</p>
      ) : (
        <Rows
          label="Given up in 24 hours, by reason"
          rows={reasons}
          keyOf={({ outcome }) => outcome}
          columns={[
            {
              title: 'Why',
              cell: ({ outcome }) =>
                listed.has(outcome) ? (
                  <a href={hrefTo(outcome)}>{outcomeText(outcome)}</a>
                ) : (
                  outcomeText(outcome)
                ),
            },
            { title: 'Deliveries', isNumber: true, cell: ({ count }) => countText(count) },
          ]}
        />
      )}
      {isOfAllTenants && reasons.some(({ outcome }) => listed.has(outcome)) && (
        <p class="hint">Counted of all tenants; a reason leads to the dead letters of the tenant default.</p>
      )}
    </Part>
  )
}

export function RetriesDue({ of: { backlog } }: { readonly of: Stats }) {
  const due = backlog.retries.filter(({ count }) => count > 0)
  return (
    <Part title="Retries by when they are due">
      {due.length === 0 ? (
        <p class="empty">No delivery waits to be tried again.</p>
      ) : (
        <Rows
          label="Retries by when they are due"
          rows={due}
          keyOf={({ withinSeconds }) => String(withinSeconds)}
          columns={[
            { title: 'Due', cell: ({ withinSeconds }) => dueText(withinSeconds) },
            {
              title: 'Deliveries',
              isNumber: true,
              cell: ({ count }) => `${backlog.retriesEstimated ? 'about ' : ''}${countText(count)}`,
            },
          ]}
        />
      )}
    </Part>
  )
}

function dueText(withinSeconds: number | null): string {
  if (withinSeconds === null) return 'later'
  return withinSeconds === 0 ? 'now' : `within ${secondsText(withinSeconds)}`
}

export function Nodes({ of: { nodes } }: { readonly of: Stats }) {
  return (
    <Part title="Nodes">
      <Rows
        label="Nodes"
        rows={nodes}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Node', cell: ({ host, pid }) => `${host}:${pid}` },
          { title: 'Role', cell: ({ role }) => processRoleText(role) },
          { title: 'Version', cell: ({ version }) => version },
          { title: 'Since', cell: ({ startedAt }) => <Time at={startedAt} /> },
          { title: 'Seen', cell: ({ seenAt }) => <Time at={seenAt} /> },
          { title: 'In flight', isNumber: true, cell: ({ inFlight }) => countText(inFlight) },
        ]}
      />
    </Part>
  )
}
