export function renderClientTypes(document: unknown): string
export function renderClientResources(document: unknown): string
