export function renderClientTypes(document: unknown): string
export function renderClientResources(document: unknown): string
export function renderEndpointKinds(kinds: Readonly<Record<string, { readonly title: string }>>): string
export function renderKeptNames(document: unknown): string
