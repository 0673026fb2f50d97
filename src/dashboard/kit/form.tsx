/**
 * Forms whose fields are called as the API calls its members, so that what the server refuses is shown beside the field
 * that it is about. Values are read when it is sent; nothing is kept meanwhile.
 */
import { type ComponentChildren, createContext } from 'preact'
import { useContext, useId, useRef, useState } from 'preact/hooks'
import { ApiError } from '../../client/index.ts'
import { isSignedOut, messageOf } from '../server.ts'
import { type PlacedErrors, placeErrors } from './field-errors.ts'
import { type Role, refusalOf } from './role.ts'
import { useSession } from './session.ts'

const FieldErrors = createContext<Readonly<Record<string, string>>>({})

/** Of a form that was sent: a field's text without the spaces around it; of a box, `true` or `false`. */
export type FormValues = (name: string) => string

interface FormProps {
  /** On its button. */
  readonly submit: string
  readonly needs: Role
  readonly onSubmit: (values: FormValues) => Promise<unknown>
  readonly onCancel?: (() => void) | undefined
  readonly children: ComponentChildren
}

const none: PlacedErrors = { byField: {}, rest: null }

export function Form({ submit, needs, onSubmit, onCancel, children }: FormProps) {
  const { signIn, onSignedOut } = useSession()
  const [errors, setErrors] = useState(none)
  const [isSending, setSending] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const reason = refusalOf(signIn.role, needs)

  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    if (form.current === null || isSending || reason !== null) return
    setSending(true)
    setErrors(none)
    try {
      await onSubmit(readerOf(form.current))
    } catch (error) {
      if (isSignedOut(error)) return onSignedOut()
      const placed = placeErrors(
        error instanceof ApiError ? error.detail : messageOf(error),
        namesOf(form.current),
      )
      setErrors(placed)
      focusFirst(form.current, placed)
    } finally {
      setSending(false)
    }
  }
  return (
    <form ref={form} class="fields" onSubmit={send}>
      <FieldErrors.Provider value={errors.byField}>{children}</FieldErrors.Provider>
      {errors.rest !== null && (
        <p role="alert" class="error">
          {errors.rest}
        </p>
      )}
      {reason !== null && <p class="hint">{reason}</p>}
      <div class="bar">
        <button type="submit" disabled={isSending || reason !== null}>
          {isSending ? 'One moment …' : submit}
        </button>
        {onCancel !== undefined && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  )
}

function readerOf(form: HTMLFormElement): FormValues {
  const data = new FormData(form)
  return (name) => {
    const field = form.elements.namedItem(name)
    if (field instanceof HTMLInputElement && field.type === 'checkbox') return String(field.checked)
    return String(data.get(name) ?? '').trim()
  }
}

function namesOf(form: HTMLFormElement): readonly string[] {
  return [...form.elements].map((one) => (one as HTMLInputElement).name).filter((name) => name !== '')
}

function focusFirst(form: HTMLFormElement, { byField }: PlacedErrors): void {
  const wrong = [...form.elements].find((one) => byField[(one as HTMLInputElement).name] !== undefined)
  // It may be behind "More settings".
  wrong?.closest('details')?.setAttribute('open', '')
  if (wrong instanceof HTMLElement) wrong.focus()
}

interface FieldProps {
  /** As the API calls it. */
  readonly name: string
  readonly label: string
  readonly hint?: ComponentChildren
}

interface TextFieldProps extends FieldProps {
  readonly value?: string | undefined
  readonly type?: 'text' | 'url' | 'number' | 'password' | 'datetime-local'
  readonly isRequired?: boolean
  readonly placeholder?: string
  /** More than one line. */
  readonly rows?: number
}

export function TextField({
  value = '',
  type = 'text',
  isRequired = false,
  placeholder = '',
  rows,
  ...field
}: TextFieldProps) {
  return (
    <Field {...field}>
      {(own) =>
        rows === undefined ? (
          <input
            {...own}
            // The types of Preact know each kind of input by itself, and not one of several.
            type={type as 'text'}
            defaultValue={value}
            required={isRequired}
            placeholder={placeholder}
            autocomplete="off"
            spellcheck={false}
          />
        ) : (
          <textarea
            {...own}
            rows={rows}
            defaultValue={value}
            required={isRequired}
            placeholder={placeholder}
            spellcheck={false}
          />
        )
      }
    </Field>
  )
}

interface SelectFieldProps extends FieldProps {
  readonly value?: string | undefined
  readonly options: readonly (readonly [value: string, text: string])[]
}

export function SelectField({ value, options, ...field }: SelectFieldProps) {
  return (
    <Field {...field}>
      {(own) => (
        <select {...own}>
          {options.map(([one, text]) => (
            <option key={one} value={one} selected={one === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface TickFieldProps extends FieldProps {
  readonly isTicked?: boolean
}

export function TickField({ name, label, hint, isTicked = false }: TickFieldProps) {
  const id = useId()
  return (
    <div class="field tick">
      <label>
        <input type="checkbox" name={name} defaultChecked={isTicked} aria-describedby={`${id}-hint`} />{' '}
        {label}
      </label>
      <FieldNotes id={id} name={name} hint={hint} />
    </div>
  )
}

interface OwnProps {
  readonly id: string
  readonly name: string
  readonly 'aria-describedby': string
  readonly 'aria-invalid': boolean
}

function Field({
  name,
  label,
  hint,
  children,
}: FieldProps & { readonly children: (own: OwnProps) => ComponentChildren }) {
  const id = useId()
  const isWrong = useContext(FieldErrors)[name] !== undefined
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, name, 'aria-describedby': `${id}-hint`, 'aria-invalid': isWrong })}
      <FieldNotes id={id} name={name} hint={hint} />
    </div>
  )
}

function FieldNotes({
  id,
  name,
  hint,
}: {
  readonly id: string
  readonly name: string
  readonly hint: ComponentChildren
}) {
  const problem = useContext(FieldErrors)[name]
  return (
    <div id={`${id}-hint`}>
      {hint !== undefined && <p class="hint">{hint}</p>}
      {problem !== undefined && <p class="wrong">{problem}</p>}
    </div>
  )
}
