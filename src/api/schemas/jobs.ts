import { Type } from '../../bundled/typebox.ts'
import { jobKinds, jobStates } from '../../core/jobs.ts'
import { errorClassPattern } from '../../core/model.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { idOf, Line } from './text-limits.ts'

const filterMembers = {
  endpoint_id: Type.Optional(Id),
  topic: Type.Optional(Type.String()),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  error_class: Type.Optional(Type.String()),
}

export const JobBody = Type.Object(
  {
    id: Id,
    kind: Type.String({ enum: jobKinds }),
    state: Type.String({
      enum: jobStates,
      description:
        'queued and running go on by themselves, in whichever process lives; paused: it waits until it is resumed; done, cancelled and failed are the end',
    }),
    filter: Type.Object(filterMembers, { description: 'which deliveries it is about' }),
    rate: Nullable(
      Type.Number({ description: 'deliveries a second at most; null: as fast as the store takes them' }),
    ),
    total: Nullable(
      Type.Integer({ description: 'that matched when it began; null: they are not counted yet' }),
    ),
    done: Type.Integer(),
    skipped: Type.Integer({
      description: 'that match, and of which nothing can be done: payload or endpoint is gone',
    }),
    failed: Type.Integer({
      description:
        'that match, and that the store refused to change, again and again; they stay as they were, and the job goes on',
    }),
    error: Nullable(Type.String({ description: 'why it failed, or the last delivery of it that did' })),
    created_at: Time,
    started_at: Nullable(Time),
    ended_at: Nullable(Time),
  },
  { title: 'Job' },
)

export const JobPage = PageOf(JobBody)

export const JobQuery = Closed({
  ...pageQuery,
  state: Type.Optional(Type.Enum([...jobStates])),
  kind: Type.Optional(Type.Enum([...jobKinds])),
})

export const DryRunBody = Type.Object(
  {
    dry_run: Type.Literal(true),
    matching: Type.Integer({ description: 'deliveries that the job would do something about' }),
    skipped: Type.Integer({ description: 'deliveries that it would have to skip' }),
    complete: Type.Boolean({ description: 'false: there are more, which were not counted' }),
  },
  { title: 'DryRun' },
)

/** One filter at least, or the word that all are meant. */
function filterOrAll(...filters: readonly string[]) {
  const given = filters.map((name) => ({ required: [name] }))
  return { anyOf: [...given, { required: ['all'], properties: { all: { const: true } } }] }
}

/** What the bodies that make a job share. */
export const jobSettings = {
  all: Type.Optional(
    Type.Boolean({ description: 'must be true when no filter is given, which would mean all' }),
  ),
  rate: Type.Optional(
    Type.Number({ minimum: 0.1, maximum: 10_000, description: 'deliveries a second at most' }),
  ),
  dry_run: Type.Optional(
    Type.Boolean({ description: 'true: nothing is changed, and the answer says how many there are' }),
  ),
}

const moment = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }))

export const ReplayManyBody = Closed(
  {
    endpoint_id: Type.Optional(idOf('ep')),
    topic: Type.Optional(Line),
    since: moment('given up at or after'),
    until: moment('given up before'),
    error_class: Type.Optional(
      Type.String({
        pattern: errorClassPattern,
        description: 'the last attempt’s, such as http_503, or attempts_exhausted',
      }),
    ),
    ...jobSettings,
  },
  {
    title: 'ReplayMany',
    ...filterOrAll('endpoint_id', 'topic', 'since', 'until', 'error_class'),
    examples: [{ endpoint_id: 'ep_01h455vb4pex5vsknk084sn02q', dry_run: true }],
  },
)

export const CancelManyBody = Closed(
  {
    endpoint_id: Type.Optional(idOf('ep')),
    topic: Type.Optional(Line),
    since: moment('made at or after'),
    until: moment('made before'),
    ...jobSettings,
  },
  {
    title: 'CancelMany',
    ...filterOrAll('endpoint_id', 'topic', 'since', 'until'),
    examples: [{ endpoint_id: 'ep_01h455vb4pex5vsknk084sn02q', dry_run: true }],
  },
)

const { all: _ofFilters, ...backfillSettings } = jobSettings

export const BackfillBody = Closed(
  {
    since: Type.String({ format: 'date-time', description: 'published at or after' }),
    until: moment('published before; default: now'),
    topic: Type.Optional(Line),
    ...backfillSettings,
  },
  { title: 'Backfill', examples: [{ since: '2026-01-31T00:00:00Z', topic: 'orders.created' }] },
)
