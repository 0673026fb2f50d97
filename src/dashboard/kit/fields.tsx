/** Renders the fields of a table (`form-fields.ts`) inside of a `Form`. */
import { SelectField, TextField, TickField } from './form.tsx'
import type { FormField } from './form-fields.ts'
import { TopicsField } from './topics-field.tsx'

interface FieldsProps<T> {
  readonly fields: readonly FormField<T>[]
  /** What is changed; null: something new. */
  readonly of: T | null
}

export function Fields<T>({ fields, of }: FieldsProps<T>) {
  const further = fields.filter(({ isFurther }) => isFurther)
  return (
    <>
      {fields
        .filter(({ isFurther }) => !isFurther)
        .map((field) => (
          <OneField key={field.name} field={field} of={of} />
        ))}
      {further.length > 0 && (
        <details>
          <summary>More settings</summary>
          <div class="fields">
            {further.map((field) => (
              <OneField key={field.name} field={field} of={of} />
            ))}
          </div>
        </details>
      )}
    </>
  )
}

function OneField<T>({ field, of }: { readonly field: FormField<T>; readonly of: T | null }) {
  const { name, label, hint, control = { kind: 'text' } } = field
  const value = field.read(of)
  switch (control.kind) {
    case 'tick':
      return <TickField name={name} label={label} hint={hint} isTicked={value === 'true'} />
    case 'choice':
      return <SelectField name={name} label={label} hint={hint} value={value} options={control.options} />
    case 'lines':
      return (
        <TextField
          name={name}
          label={label}
          hint={hint}
          value={value}
          rows={control.rows}
          placeholder={control.placeholder ?? ''}
        />
      )
    case 'topics':
      return (
        <TopicsField
          name={name}
          label={label}
          hint={hint}
          value={value}
          rows={control.rows}
          placeholder={control.placeholder ?? ''}
        />
      )
    case 'text':
    case 'url':
    case 'number':
      return (
        <TextField
          name={name}
          label={label}
          hint={hint}
          value={value}
          type={control.kind === 'number' ? 'text' : control.kind}
          isRequired={control.isRequired ?? false}
          placeholder={control.placeholder ?? ''}
        />
      )
  }
}
