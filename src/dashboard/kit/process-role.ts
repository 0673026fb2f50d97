const words: Readonly<Record<string, string>> = {
  all: 'takes events and delivers them',
  api: 'takes events, which others deliver',
  dispatcher: 'delivers',
}

/** What a process does, by the setting that says so. */
export function processRoleText(role: string): string {
  const said = words[role]
  return said === undefined ? role : `${role}: ${said}`
}
