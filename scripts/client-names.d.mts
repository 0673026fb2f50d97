export function camelMember(name: string): string
export function createShapes(document: unknown): {
  readonly named: Readonly<Record<string, unknown>>
  shapeOf(schema: unknown): unknown
}
