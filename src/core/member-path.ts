/** Where a member or an element stands, as people write it: `payload.items[0]["odd name"]`. */
export function memberPath(path: string, name: string, inList: boolean): string {
  if (inList) return `${path}[${name}]`
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`
}
