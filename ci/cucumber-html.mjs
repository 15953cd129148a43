// Holds messages to Cucumber's schema and lets Cucumber's own formatter draw their page:
// cucumber-html.mjs NODE_FOLDER MESSAGES PAGE
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'

const [folder, messages, page] = process.argv.slice(2)
const require = createRequire(join(folder, 'package.json'))
const load = async (name) => import(pathToFileURL(require.resolve(name)).href)
const formatter = await load('@cucumber/html-formatter')
const { parseEnvelope } = await load('@cucumber/messages')
const Stream = formatter.CucumberHtmlStream ?? formatter.default

const Ajv = (await load('ajv/dist/2020.js')).default
const schema = join(folder, 'node_modules/@cucumber/messages/messages.schema.json')
const isEnvelope = new (Ajv.default ?? Ajv)({ strict: false }).compile(JSON.parse(readFileSync(schema, 'utf8')))

const stream = new Stream()
const out = createWriteStream(page)
stream.pipe(out)
let count = 0
for await (const line of createInterface({ input: createReadStream(messages) })) {
    if (!isEnvelope(JSON.parse(line))) {
        console.error(`message ${count + 1}: ${JSON.stringify(isEnvelope.errors.slice(0, 3))}`)
        process.exit(1)
    }
    if (!stream.write(parseEnvelope(line))) await once(stream, 'drain')
    count += 1
}
stream.end()
await once(out, 'finish')
console.log(`${count} messages, ${statSync(page).size} octets in ${page}`)
