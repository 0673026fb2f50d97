import { Type } from '../../bundled/typebox.ts'
import { adminRoles } from '../../core/model.ts'
import { Nullable, Time } from './shapes.ts'

export const SignInCodeBody = Type.Object(
  {
    code: Type.String({
      description:
        'to be sent once, as `Authorization: Bearer`, to `PUT /v1/sign-in`, or opened in a browser as `/dashboard/#sign-in=<code>`',
    }),
    expires_at: Time,
  },
  { title: 'SignInCode' },
)

export const SignInBody = Type.Object(
  {
    role: Type.String({ enum: [...adminRoles] }),
    tenant_id: Nullable(Type.String({ description: 'null: all tenants' })),
    csrf_token: Nullable(
      Type.String({
        description:
          'to be sent as `X-CSRF-Token` with requests that change something; null: a token is sent',
      }),
    ),
    expires_at: Nullable(Time),
  },
  { title: 'SignIn' },
)
