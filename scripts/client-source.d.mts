export function renderClientTypes(document: unknown): string
export function renderClientResources(document: unknown): string
export function renderKeptNames(document: unknown): string
