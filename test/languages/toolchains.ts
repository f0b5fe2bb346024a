/** The toolchains of other languages: how they are fetched, and how a client is built with them. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = join(ROOT, 'node_modules/.cache/keyslot/languages')
const PYTHON = join(CACHE, 'python/bin/python')
const GO_ENVIRONMENT = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }

/** A language that a client is written in. */
export interface Language {
  readonly name: 'Python' | 'Go'
  /** Its sources, and what they ask for, with versions. */
  readonly sources: string
  readonly pins: string
  /** Fetches what the client is built with; needs the network. */
  fetch(signal: AbortSignal): Promise<void>
  /** Generates the contract, and builds the client in a new folder; answers the command to run. */
  build(folder: string, signal: AbortSignal): Promise<readonly [string, ...string[]]>
}

/** The languages with a client here. */
export const LANGUAGES: readonly Language[] = [
  {
    name: 'Python',
    sources: join(import.meta.dirname, 'python'),
    pins: 'requirements.txt',
    async fetch(signal) {
      await run('python3', ['-m', 'venv', '--clear', join(CACHE, 'python')], { signal })
      const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:']
      const pins = join(this.sources, this.pins)
      await run(PYTHON, ['-m', 'pip', 'install', ...quiet, '--requirement', pins], { signal })
    },
    async build(folder, signal) {
      cpSync(this.sources, folder, { recursive: true })
      const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`]
      const protos = readdirSync(join(ROOT, 'proto/keyslot/v1')).map((file) => `keyslot/v1/${file}`)
      const words = ['-m', 'grpc_tools.protoc', '-I', '.', ...outputs, ...protos]
      await run(PYTHON, words, { cwd: join(ROOT, 'proto'), signal })
      return [PYTHON, join(folder, 'client.py')]
    },
  },
  {
    name: 'Go',
    sources: join(import.meta.dirname, 'go'),
    pins: 'go.sum',
    async fetch(signal) {
      await run('go', ['mod', 'download'], {
        cwd: this.sources,
        signal,
        environment: GO_ENVIRONMENT,
      })
    },
    async build(folder, signal) {
      cpSync(this.sources, folder, { recursive: true })
      const options = { cwd: folder, signal, environment: GO_ENVIRONMENT }
      const proto = join(ROOT, 'proto')
      const buf = join(ROOT, 'node_modules/.bin/buf')
      await run(buf, ['generate', proto, '--path', join(proto, 'keyslot')], options)
      await run('go', ['build', '-o', 'client', '.'], options)
      return [join(folder, 'client')]
    },
  },
]

/** Whether the toolchain has been fetched, in the versions that are asked for now. */
export function isReady(language: Language): boolean {
  const path = markPath(language)
  return existsSync(path) && readFileSync(path, 'utf8') === digestOfPins(language)
}

/** Remembers that a client has been built with the toolchain. */
export function markReady(language: Language): void {
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(markPath(language), digestOfPins(language))
}

function markPath({ name }: Language): string {
  return join(CACHE, `${name}.ready`)
}

function digestOfPins({ sources, pins }: Language): string {
  return createHash('sha256')
    .update(readFileSync(join(sources, pins)))
    .digest('hex')
}

interface RunOptions {
  readonly signal: AbortSignal
  readonly cwd?: string
  readonly environment?: NodeJS.ProcessEnv
}

async function run(
  command: string,
  words: readonly string[],
  { signal, cwd, environment }: RunOptions,
): Promise<void> {
  await promisify(execFile)(command, words, {
    cwd,
    signal,
    env: { ...process.env, ...environment },
  })
}
