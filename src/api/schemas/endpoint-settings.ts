import { kinds } from '../../destinations/kinds.ts'

const schemas = Object.values(kinds).flatMap(({ settingsSchema }) =>
  settingsSchema === null ? [] : [settingsSchema],
)

/** How the settings of each kind are described. They are read and checked by the engine, so this documents and validates nothing. */
export const endpointSettingsDocument = {
  title: 'EndpointSettings',
  description:
    'What the kind of the endpoint asks for besides: templates of its messages. Null: as the kind has it. They are replaced as a whole.',
  anyOf: [...schemas, { type: 'null' }],
}
