/** Writes the golden copy of the table of operations, and the tables of the README. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { settingsTable } from '../src/settings.ts'
import { operationsTable } from './table.ts'

const root = resolve(import.meta.dirname, '..')
writeFileSync(join(root, 'test/table.golden.md'), `${operationsTable()}\n`)

const path = join(root, 'README.md')
const tables = { operations: operationsTable(), settings: settingsTable() }
let readme = readFileSync(path, 'utf8')
for (const [name, table] of Object.entries(tables)) {
  const part = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`)
  if (!part.test(readme)) throw new Error(`README.md has no place for the table of ${name}`)
  readme = readme.replace(
    part,
    (_, begin: string, end: string) => `${begin}${table.trim()}\n${end}`,
  )
}
writeFileSync(path, readme)
