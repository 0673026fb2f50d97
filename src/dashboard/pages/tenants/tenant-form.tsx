import type { Tenant, TenantCreate } from '../../../client/index.ts'
import { Fields } from '../../kit/fields.tsx'
import { Form, type FormValues } from '../../kit/form.tsx'
import { readChanges } from '../../kit/form-fields.ts'
import { tenantFields, tenantSettingFields } from './tenant-fields.ts'

interface TenantFormProps {
  readonly submit: string
  /** Null: a new one. */
  readonly of: Tenant | null
  readonly onSubmit: (changes: TenantCreate) => Promise<unknown>
  readonly onCancel?: () => void
}

export function TenantForm({ submit, of, onSubmit, onCancel }: TenantFormProps) {
  const send = (values: FormValues) => {
    const settings = readChanges(tenantSettingFields, of, values)
    const changes = readChanges(tenantFields, of, values)
    return onSubmit({ ...changes, ...(Object.keys(settings).length > 0 && { settings }) })
  }
  return (
    <Form submit={submit} needs="admin" onSubmit={send} onCancel={onCancel}>
      <Fields fields={[...tenantFields, ...tenantSettingFields]} of={of} />
    </Form>
  )
}
