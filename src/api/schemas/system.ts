import { Type } from '../../bundled/typebox.ts'
import { findingLevels } from '../../core/finding.ts'
import { settingSourceKinds } from '../../core/setting-source.ts'
import { Nullable, Time } from './shapes.ts'

const SettingSourceBody = Type.Object(
  {
    kind: Type.String({
      enum: [...settingSourceKinds],
      description: '`option`: of a program that opened the library; `command`: `outhook dev` by itself',
    }),
    name: Nullable(
      Type.String({ description: 'as it is called there, such as `--port`; null: it has none' }),
    ),
  },
  { title: 'SettingSource' },
)

const SettingBody = Type.Object(
  {
    name: Type.String({ description: 'such as `max-in-flight`' }),
    description: Type.String(),
    value: Nullable(
      Type.String({
        description:
          'as it would be written in the environment, without passwords; null: nobody has said, or it is a secret, which is never shown',
      }),
    ),
    meaning: Nullable(
      Type.String({ description: 'what it means that nobody has said; null: there is a value' }),
    ),
    is_secret: Type.Boolean(),
    is_set: Type.Boolean({ description: 'somebody has said; false: it is the default' }),
    source: Nullable(SettingSourceBody),
  },
  { title: 'Setting' },
)

const FindingBody = Type.Object(
  {
    check: Type.String({ description: 'what was looked at' }),
    level: Type.String({
      enum: [...findingLevels],
      description:
        '`warning`: it works, and may hurt later; `problem`: something is, or will be, lost or stuck',
    }),
    found: Type.String(),
    advice: Nullable(Type.String({ description: 'what to do; null: nothing' })),
  },
  { title: 'Finding' },
)

export const SystemBody = Type.Object(
  {
    // `version` would be that of an object that can be changed.
    outhook_version: Type.String(),
    node_version: Type.String(),
    role: Type.String({ description: 'what this process does: `all`, `api` or `dispatcher`' }),
    started_at: Time,
    store: Type.Object(
      {
        kind: Type.String({ enum: ['memory', 'sqlite', 'postgres'] }),
        location: Type.String({ description: 'the file or the address of the database, without a password' }),
        schema_version: Type.Integer({
          description:
            'of the schema that this program works with; the finding `schema` says which one the store has',
        }),
      },
      { title: 'SystemStore' },
    ),
    settings: Type.Array(SettingBody, { description: 'of the process that answers' }),
    examined_at: Time,
    findings: Type.Array(FindingBody, {
      description: 'what `outhook doctor` finds within moments; it is examined once in five seconds',
    }),
    lengthy_checks: Type.Array(Type.String(), {
      description: 'checks that were left out, because they read whole tables; `outhook doctor` does them',
    }),
  },
  { title: 'System' },
)
