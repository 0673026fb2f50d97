import type { EventTypeStore } from '../../port.ts'
import type { Runner } from '../connection/runner.ts'
import * as read from '../read/event-types.ts'
import { deleteEventType, insertEventType, putEventTypes, updateEventType } from './event-types.ts'

export function createEventTypeStore({ plain, atomic, snapshot }: Runner): EventTypeStore {
  return {
    insertEventType: (id, input) => atomic('config', (context) => insertEventType(context, id, input)),
    updateEventType: (id, name, patch, options) =>
      atomic('config', (context) => updateEventType(context, id, name, patch, options)),
    deleteEventType: (id, name, options) =>
      atomic('config', (context) => deleteEventType(context, id, name, options)),
    putEventTypes: (id, types, options) =>
      atomic('config', (context) => putEventTypes(context, id, types, options)),
    getEventType: (id, name) => plain('read', (context) => read.getEventType(context, id, name)),
    listEventTypes: (id, filter, page) =>
      plain('read', (context) => read.listEventTypes(context, id, filter, page)),
    loadServerEventTypes: () => snapshot(read.loadServerEventTypes),
    serverEventTypesVersion: () => plain('read', read.serverEventTypesVersion),
  }
}
