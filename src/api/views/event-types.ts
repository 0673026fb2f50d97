import type { Static } from 'typebox'
import type { EventType } from '../../core/event-type.ts'
import type { ImportReport } from '../../engine/import-event-types.ts'
import { formatTime } from '../rfc3339.ts'
import type { EventTypeBody, EventTypeImportAnswer } from '../schemas/event-types.ts'

export function toEventType(type: EventType): Static<typeof EventTypeBody> {
  return {
    name: type.name,
    tenant_id: type.tenantId,
    description: type.description,
    group: type.group,
    schema: type.schema,
    example: type.example,
    deprecated: type.deprecated,
    mode: type.mode,
    created_at: formatTime(type.createdAt),
    updated_at: formatTime(type.updatedAt),
    version: type.version,
  }
}

export function toImportReport(report: ImportReport): EventTypeImportAnswer {
  const { dryRun, created, changed, unchanged, items } = report
  return { dry_run: dryRun, created, changed, unchanged, items: items.map((item) => ({ ...item })) }
}
