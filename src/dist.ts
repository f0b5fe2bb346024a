/**
 * Makes the package that is published, under `dist/package`: JavaScript and declarations for the
 * sources, which Node does not run below `node_modules`, the contract, and a manifest of its own.
 * `npm run dist` then packs it.
 */

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }
import { NODE_MAJOR_MIN } from './cli/node.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PACKAGE = join(ROOT, 'dist/package')

rmSync(PACKAGE, { recursive: true, force: true })
mkdirSync(PACKAGE, { recursive: true })
execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'src'], { cwd: ROOT, stdio: 'inherit' })
copyFileSync(join(ROOT, 'src/gen/descriptors.binpb'), join(PACKAGE, 'lib/gen/descriptors.binpb'))
cpSync(join(ROOT, 'proto'), join(PACKAGE, 'proto'), { recursive: true })
for (const file of ['README.md', 'LICENSE']) copyFileSync(join(ROOT, file), join(PACKAGE, file))
writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)

/** What the repository's manifest says of the service, without what serves its development. */
function manifest(): object {
  const { name, version, description, license, type, dependencies } = packageJson
  return {
    name,
    version,
    description,
    license,
    type,
    engines: { node: `>=${NODE_MAJOR_MIN}` },
    bin: { keyslot: 'lib/cli/main.js' },
    exports: {
      '.': entry('client/client'),
      './error': entry('client/error'),
      './package.json': './package.json',
    },
    files: ['lib', 'proto'],
    dependencies,
  }
}

/** A module that others may import, without its extension. */
function entry(module: string): object {
  return { types: `./lib/${module}.d.ts`, default: `./lib/${module}.js` }
}
