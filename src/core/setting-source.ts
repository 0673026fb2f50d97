export interface SettingSource {
  /** `option`: of a program that opens the library. `command`: `outhook dev` sets some by itself. */
  readonly kind: SettingSourceKind
  /** As it is called there, such as `--port`; null: it has no name. */
  readonly name: string | null
}

export const settingSourceKinds = ['flag', 'environment', 'file', 'option', 'command', 'default'] as const
export type SettingSourceKind = (typeof settingSourceKinds)[number]
