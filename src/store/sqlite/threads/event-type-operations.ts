/** The writes of the catalogues, as the writer's thread is asked for them. */
import type { ChangeOptions } from '../../../core/version.ts'
import type { EventTypePatch, EventTypePut, EventTypeStore, NewEventType } from '../../port.ts'
import { deleteEventType, insertEventType, putEventTypes, updateEventType } from '../config/event-types.ts'
import type { WriteContext } from './write-context.ts'

export const eventTypeOperations = {
  insertEventType: (context: WriteContext, id: string, input: NewEventType) =>
    insertEventType(context, id, input),
  updateEventType: (
    context: WriteContext,
    id: string,
    name: string,
    patch: EventTypePatch,
    options?: ChangeOptions,
  ) => updateEventType(context, id, name, patch, options),
  deleteEventType: (context: WriteContext, id: string, name: string, options?: ChangeOptions) =>
    deleteEventType(context, id, name, options),
  putEventTypes: (
    context: WriteContext,
    id: string,
    types: readonly EventTypePut[],
    options: Parameters<EventTypeStore['putEventTypes']>[2],
  ) => putEventTypes(context, id, types, options),
}
