// Reads {name: mjml} as JSON, prints {name: [what npm's mjml finds wrong in strict mode]}. Its packages are found by NODE_MODULES.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const mjml = createRequire(process.env.NODE_MODULES + '/')('mjml')
const compile = mjml.default ?? mjml
const found = {}
for (const [name, source] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  try {
    const { errors } = await compile(source, { validationLevel: 'strict' })
    found[name] = errors.map((error) => error.formattedMessage ?? String(error))
  } catch (error) {
    found[name] = [String(error.message ?? error)]
  }
}
process.stdout.write(JSON.stringify(found))
