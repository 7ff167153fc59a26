import { format, resolveConfig } from 'prettier'
import { expectationOf } from '../../plugins/config/environment.ts'
import { sections, type SettingSchema } from '../../plugins/config/settings.ts'

const begin = '<!-- The settings are generated from plugins/config/settings.ts by `npm run generate`. -->'
const end = '<!-- End of the settings. -->'

const code = (value: unknown): string => `\`${String(value)}\``

const defaultOf = (schema: SettingSchema): string => {
  const usual = schema.default === undefined ? (schema.withoutIt ?? 'none') : code(schema.default)
  if (schema.requiredInProduction) return `${usual}; **required in production**`
  return schema.productionDefault === undefined ? usual : `${usual} (production: ${code(schema.productionDefault)})`
}

const row = (name: string, schema: SettingSchema): string =>
  `| ${code(name)} | ${defaultOf(schema)} | ${schema.description} | ${expectationOf(schema)} |`

const table = (): string =>
  [
    '| Setting | Default | Description | Value |',
    '| --- | --- | --- | --- |',
    ...Object.entries(sections).flatMap(([title, settings]) => [
      `| **${title}** | | | |`,
      ...Object.entries(settings).map(([name, schema]) => row(name, schema as SettingSchema))
    ])
  ].join('\n')

/** Replaces the text between the two markers of a Markdown document with the table of settings. */
export const withSettings = async (document: string, path: string): Promise<string> => {
  const [before, rest] = document.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined)
    throw new Error(`${path} lacks the markers of the settings. Add these two lines:\n${begin}\n${end}`)
  const written = [before, begin, '\n\n', table(), '\n\n', end, after].join('')
  return format(written, { ...(await resolveConfig(path)), parser: 'markdown' })
}
