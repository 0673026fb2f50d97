interface SearchFieldProps {
  readonly label: string
  readonly value: string
  readonly placeholder?: string
  /** Without white space around it; once somebody has ended typing. */
  readonly onChange: (value: string) => void
}

export function SearchField({ label, value, placeholder = '', onChange }: SearchFieldProps) {
  return (
    <label>
      {label}{' '}
      <input
        type="search"
        placeholder={placeholder}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value.trim())}
      />
    </label>
  )
}
