/** The package as it is published: packed, installed into an empty folder, and used from there. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { complaintAboutNode } from '../../src/cli/node.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TARBALL = join(ROOT, `dist/keyslot-${packageJson.version}.tgz`)
const INSTALL_MS = 300_000
const USE_MS = 120_000
const INSTALLED_BYTES_MAX = 30_000_000

const home = mkdtempSync(join(tmpdir(), 'keyslot-package-'))
const folder = join(home, 'empty folder')
/** Without the repository's commands, and with the Node that runs the tests. */
const PATH = [dirname(process.execPath), ...systemPath()].join(delimiter)
const environment: NodeJS.ProcessEnv = { ...process.env, PATH, XDG_CACHE_HOME: home }
let service: ChildProcess | undefined
let welcome = ''
let endpoint = ''

beforeAll(async () => {
  run(ROOT, 'npm', 'run', '--silent', 'dist')
  mkdirSync(folder)
  run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', TARBALL)
  await serve()
}, INSTALL_MS)

afterAll(async () => {
  if (service?.pid !== undefined && service.exitCode === null) {
    // npx, its shell and the service.
    process.kill(-service.pid, 'SIGKILL')
    await once(service, 'exit')
  }
  rmSync(home, { recursive: true, force: true })
})

describe('the tarball', () => {
  const files = () => execFileSync('tar', ['-tzf', TARBALL]).toString().trim().split('\n')

  test('holds what runs, and nothing else', () => {
    const odd = files().filter((file) => {
      const source = /^package\/lib\/.*(\.js|\.d\.ts)$/.test(file)
      return !source && !file.startsWith('package/proto/')
    })
    expect(odd.toSorted()).toEqual([
      'package/LICENSE',
      'package/README.md',
      'package/lib/gen/descriptors.binpb',
      'package/package.json',
    ])
  })

  test('asks for the packages of the repository that run, and for none that develop', () => {
    const path = join(folder, 'node_modules/keyslot/package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    expect(manifest.dependencies).toEqual(packageJson.dependencies)
    expect(manifest).not.toHaveProperty('devDependencies')
    expect(manifest).not.toHaveProperty('scripts')
  })
})

describe('installed into an empty folder', { timeout: USE_MS }, () => {
  test('it is small', () => {
    const [bytes = ''] = execFileSync('du', ['-sb', join(folder, 'node_modules')])
      .toString()
      .split('\t')
    expect(Number(bytes)).toBeLessThan(INSTALLED_BYTES_MAX)
  })

  test('it serves, and its first lines encrypt and decrypt', async () => {
    const lines = welcome.split('\n').filter((line) => line.includes('npx keyslot'))
    expect(lines).toHaveLength(3)
    const shell = spawn('sh', ['-c', lines.join('\n')], { cwd: folder, env: environment })
    expect(await text(shell.stdout)).toBe('attack at dawn')
  })

  test('its client is there for others, with its types', () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(folder, 'consumer.ts'), CONSUMER)
    const strict = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    run(folder, join(ROOT, 'node_modules/.bin/tsc'), ...strict, '--noEmit', 'consumer.ts')
    const printed = run(folder, 'node', 'consumer.ts', endpoint, join(folder, '.keyslot/tls'))
    expect(printed).toBe('secret\nNotFoundException\n')
  })

  test('it describes itself by reflection', () => {
    const tls = join(folder, '.keyslot/tls')
    const listed = run(
      folder,
      join(ROOT, 'node_modules/.bin/buf'),
      ...['curl', '--protocol', 'grpc', '--cacert', join(tls, 'ca.pem')],
      ...['--cert', join(tls, 'root.pem'), '--key', join(tls, 'root-key.pem')],
      ...['--list-methods', `https://${endpoint}`],
    )
    expect(listed).toContain('keyslot.v1.KeyManagementService/Encrypt')
  })

  test('it says what it needs where Node is too old', ({ skip }) => {
    const old = systemPath()
      .map((directory) => join(directory, 'node'))
      .filter((path) => existsSync(path))
      .find((path) => complaintAboutNode(run(folder, path, '--version').slice(1)))
    if (old === undefined) return skip('there is no older Node here')
    const main = join(folder, 'node_modules/keyslot/lib/cli/main.js')
    expect(() => run(folder, old, main, 'serve')).toThrow(/keyslot needs Node [0-9]+ or newer/)
  })
})

const CONSUMER = `
import { readFileSync } from 'node:fs'
import { connect, type Client } from 'keyslot'
import { KeyslotError } from 'keyslot/error'

const [endpoint = '', tls = ''] = process.argv.slice(2)
const pem = (name: string) => readFileSync(tls + '/' + name + '.pem')
const client: Client = connect({
  endpoint, ca: pem('ca'), certificate: pem('root'), privateKey: pem('root-key'),
})
const { ciphertextBlob } = await client.call('Encrypt', {
  keyId: 'alias/dev', plaintext: Buffer.from('secret'),
})
const { plaintext } = await client.call('Decrypt', { ciphertextBlob })
console.log(plaintext?.toString())
try {
  await client.call('DescribeKey', { keyId: 'alias/none' })
} catch (error) {
  if (error instanceof KeyslotError) console.log(error.name)
}
client.close()
`

/** Starts the service through npx, and resolves when it has said how to go on. */
async function serve(): Promise<void> {
  const listen = [
    '--grpc-listen',
    '127.0.0.1:0',
    '--aws-listen',
    '127.0.0.1:0',
    '--status-listen',
    '127.0.0.1:0',
  ]
  const started = spawn('npx', ['--no', 'keyslot', 'serve', '--dev', ...listen], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  service = started
  let complaints = ''
  started.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes
  })
  for await (const line of createInterface(started.stdout)) {
    welcome += `${line}\n`
    endpoint = /gRPC +(\S+) /.exec(line)?.[1] ?? endpoint
    if (line.includes('Ctrl-C')) return
  }
  throw new Error(`keyslot has ended: ${complaints}`)
}

function run(cwd: string, command: string, ...words: string[]): string {
  return execFileSync(command, words, { cwd, env: environment, stdio: 'pipe' }).toString()
}

function systemPath(): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
}
