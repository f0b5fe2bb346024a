/** Holds the rules of the house that the compiler cannot: rooms, budgets, names and documents. */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { FAILURES } from '../src/model/failures.ts'
import { settingsTable } from '../src/settings.ts'
import { operationsTable } from './table.ts'

const ROOT = resolve(import.meta.dirname, '..')

/** Which rooms a room may import; `types of` those in brackets. */
const MAY_IMPORT: Readonly<Record<string, { values: string[]; types?: string[] }>> = {
  model: { values: [] },
  contract: { values: ['model'], types: ['service.ts'] },
  policy: { values: ['model'] },
  store: { values: ['model'] },
  pkcs11: { values: ['model'] },
  lifecycle: { values: ['model', 'store', 'pkcs11'] },
  operations: {
    values: ['model', 'policy', 'lifecycle'],
    types: ['store', 'pkcs11', 'service.ts'],
  },
  pipeline: {
    values: ['model', 'policy', 'contract'],
    types: ['operations', 'store', 'pkcs11', 'service.ts'],
  },
  doors: {
    values: ['pipeline', 'operations/table.ts', 'model', 'contract'],
    types: ['operations', 'service.ts'],
  },
  jobs: { values: ['pipeline', 'lifecycle', 'model'], types: ['operations', 'store'] },
  seed: { values: ['model'], types: ['operations', 'pipeline'] },
  telemetry: { values: [] },
  development: { values: ['model', 'pkcs11'] },
  client: { values: ['contract', 'model'], types: ['service.ts'] },
  cli: {
    values: ['client', 'contract', 'model', 'main.ts', 'config.ts', 'settings.ts'],
    types: ['service.ts', 'pkcs11'],
  },
}

/** Words that must not stand in the source, where they may, and why. */
const BANNED: readonly { word: RegExp; except?: RegExp; why: string }[] = [
  { word: /\bas Authorised\b/, except: /^src\/pipeline\//, why: 'only the pipeline vouches' },
  {
    word: /C_SetAttributeValue\(/,
    // On keys that are made to be attacked, and destroyed.
    except: /^src\/pkcs11\/attacks\//,
    why: 'it can destroy the key it changes',
  },
  { word: /\b(TODO|FIXME|XXX)\b/, why: 'do it or file it' },
  {
    word: /\bauthoriz(e|ed|ation)\b/i,
    // A header of HTTP, and how AWS's messages name it.
    except:
      /authorise\.ts$|^src\/(client\/client|doors\/(aws\/signature|grpc\/(authenticate|connections)))\b/,
    why: 'we write authorise',
  },
  { word: /\bconsole\./, except: /^src\/cli\/|^src\/ready\.mjs$/, why: 'the log is handed in' },
  {
    word: /\b(luna|nshield|cloudhsm|yubihsm|utimaco)\b/i,
    except: /^src\/pkcs11\/profiles\/|^src\/model\/(key|ciphertext)\.ts$/,
    why: 'code asks the profile, never the vendor',
  },
  {
    word: /\bMath\.random\(/,
    // The jitter of a back-off.
    except: /^src\/pkcs11\/token\/module\.ts$/,
    why: 'randomness comes from the token or node:crypto',
  },
]

const FILE_LINES_MAX = 400
const OPERATION_LINES_MAX = 60
const FOLDER_FILES_MAX = 12
const BANNED_NAMES = /^(utils?|helpers?|common|manager|misc|types)\b/

const sources = filesBelow('src').filter((file) => !file.startsWith('src/gen/'))
const text = new Map(
  [...sources, ...filesBelow('test')]
    .filter((file) => /\.(ts|mjs)$/.test(file))
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
)

describe('rooms', () => {
  test('import downwards only', () => {
    const wrong = sources.flatMap((file) => importsOf(file).filter((each) => !isAllowed(each)))
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  test('hold at most twelve files each', () => {
    const folders = Map.groupBy(sources, dirname)
    const full = [...folders].filter(
      ([folder, files]) => files.length > FOLDER_FILES_MAX && !folder.startsWith('src/operations'),
    )
    expect(full.map(([folder, files]) => `${folder}: ${files.length}`)).toEqual([])
  })
})

describe('files', () => {
  test('import each other in no circle', () => {
    expect(inCircles([...text.keys()])).toEqual([])
  })

  test('have names that say something', () => {
    const named = [...text.keys()].filter((file) => BANNED_NAMES.test(file.split('/').at(-1) ?? ''))
    expect(named).toEqual([])
  })

  test('begin by saying what they are for', () => {
    const silent = [...text].filter(([, source]) => !/^(#!.*\n)?\/\*\*/.test(source))
    expect(silent.map(([file]) => file).filter((file) => file !== 'test/vitest.config.ts')).toEqual(
      [],
    )
  })

  test('keep to their budgets', () => {
    const long = [...text].filter(([, source]) => {
      const isOperation = /^export const \w+ = operation\(/m.test(source)
      return source.split('\n').length - 1 > (isOperation ? OPERATION_LINES_MAX : FILE_LINES_MAX)
    })
    expect(long.map(([file, source]) => `${file}: ${source.split('\n').length - 1}`)).toEqual([])
  })

  test('document what they export', () => {
    const bare = sources.flatMap((file) => undocumentedExports(file))
    expect(bare).toEqual([])
  })

  test.each(BANNED)('do not hold $word: $why', ({ word, except }) => {
    const found = sources.filter((file) => !except?.test(file) && word.test(code(file)))
    expect(found).toEqual([])
  })
})

describe('documents', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const contributing = readFileSync(join(ROOT, '.github/CONTRIBUTING.md'), 'utf8')

  test('README has the table of operations as it is', () => {
    expect(readme).toContain(operationsTable().trim())
  })

  test('README has the table of settings as it is', () => {
    expect(readme).toContain(settingsTable().trim())
  })

  test('README names every room', () => {
    const rooms = Object.keys(MAY_IMPORT).filter((room) =>
      sources.some((f) => f.startsWith(`src/${room}/`)),
    )
    expect(rooms.filter((room) => !readme.includes(`\`src/${room}\``))).toEqual([])
  })

  test('CONTRIBUTING gives a reason for each runtime dependency, and no other', () => {
    const given = [...contributing.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
    expect(given.toSorted()).toEqual(Object.keys(packageJson.dependencies).toSorted())
  })

  test('package.json pins every version', () => {
    const all = { ...packageJson.dependencies, ...packageJson.devDependencies }
    expect(Object.values(all).filter((version) => !/^\d/.test(version))).toEqual([])
  })
})

/** Beside dotfiles and folders that begin with a dot. */
const TOP_LEVEL = [
  ...['LICENSE', 'README.md', 'docker-compose.yml', 'hsm', 'package-lock.json', 'package.json'],
  ...['proto', 'src', 'test', 'tsconfig.json'],
]

test.skipIf(!existsSync(join(ROOT, '.git')))('nothing else stands at the top level', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT }).toString().trimEnd().split('\n')
  const names = new Set(files.map((file) => file.replace(/\/.*$/s, '')))
  expect([...names].filter((name) => !name.startsWith('.')).toSorted()).toEqual(TOP_LEVEL)
})

test('every failure that is thrown is in the table', () => {
  const thrown = sources.flatMap((file) =>
    [...code(file).matchAll(/(?:fail|KmsError)\(\s*'(\w+)'/g)].map(([, name]) => name ?? ''),
  )
  expect(thrown.length).toBeGreaterThan(20)
  expect(thrown.filter((name) => !Object.hasOwn(FAILURES, name))).toEqual([])
})

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const pattern = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gms
  return [...code(file).matchAll(pattern)].map(([, type, path, dynamic]) => ({
    from: file,
    to: relative(ROOT, resolve(ROOT, dirname(file), path ?? dynamic ?? '')),
    typeOnly: type !== undefined,
  }))
}

/** Files that import each other, whichever way round, and those between two such circles. */
function inCircles(files: readonly string[]): string[] {
  const left = new Map(files.map((file) => [file, importsOf(file).map(({ to }) => to)]))
  for (;;) {
    const imported = new Set([...left.values()].flat())
    const free = [...left].filter(
      ([file, to]) => !imported.has(file) || !to.some((each) => left.has(each)),
    )
    if (free.length === 0) return [...left.keys()]
    for (const [file] of free) left.delete(file)
  }
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const room = from.split('/')[1] ?? ''
  const rule = MAY_IMPORT[room]
  // The composition root and what it reads its settings with may import all.
  if (!rule || to.startsWith(`src/${room}/`)) return true
  const isIn = (place: string) => to === `src/${place}` || to.startsWith(`src/${place}/`)
  return rule.values.some(isIn) || (typeOnly && (rule.types ?? []).some(isIn))
}

function undocumentedExports(file: string): string[] {
  if (!file.endsWith('.ts')) return []
  const lines = (text.get(file) ?? '').split('\n')
  return lines.flatMap((line, index) => {
    if (!/^export (async )?(function|const|class|interface|type) /.test(line)) return []
    const before =
      lines.slice(0, index).findLast((each) => !each.startsWith('// biome-ignore')) ?? ''
    return before.endsWith('*/') ? [] : [`${file}:${index + 1} ${line.slice(0, 60)}`]
  })
}

/** A file without its comments. */
function code(file: string): string {
  return (text.get(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith('test/golden/'))
}
