/** What a process does, of those that work on one store. */
export const nodeRoles = ['all', 'api', 'dispatcher'] as const
export type NodeRole = (typeof nodeRoles)[number]
