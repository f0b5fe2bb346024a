/** The command and a service, end to end: over TLS, to a real token and back. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'keyslot-cli-'))
const environment: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: home, KEYSLOT_HOME: home }
const LISTEN = [
  '--grpc-listen',
  '127.0.0.1:0',
  '--aws-listen',
  '127.0.0.1:0',
  '--status-listen',
  '127.0.0.1:0',
]

let service: ReturnType<typeof start>
let welcome = ''

beforeAll(async () => {
  service = start('serve', '--dev', ...LISTEN)
  service.stderr.resume()
  for await (const chunk of service.stdout) {
    welcome += chunk
    const endpoint = /gRPC +(\S+) /.exec(welcome)?.[1]
    if (endpoint === undefined || !welcome.includes('Ctrl-C')) continue
    environment.KEYSLOT_ENDPOINT = endpoint
    break
  }
})

afterAll(async () => {
  if (service.exitCode === null) {
    service.kill('SIGKILL')
    await once(service, 'exit')
  }
  rmSync(home, { recursive: true, force: true })
})

function start(...words: string[]) {
  return spawn(process.execPath, [MAIN, ...words], { cwd: home, env: environment })
}

async function keyslot(...words: string[]) {
  return keyslotReading('', ...words)
}

async function keyslotReading(input: string | Buffer, ...words: string[]) {
  const command = start(...words)
  command.stdin.end(input)
  const [stdout, stderr, [status]] = await Promise.all([
    text(command.stdout),
    text(command.stderr),
    once(command, 'close'),
  ])
  return { status, stdout, stderr }
}

function file(name: string, content: string | Buffer): string {
  const path = join(home, name)
  writeFileSync(path, content)
  return `fileb://${path}`
}

test('policy simulate says who may do what, and why', async () => {
  const root = ['--principal-arn', 'arn:aws:iam::111122223333:root']
  const asked = [...root, '--action', 'kms:Encrypt', '--key-id', 'alias/dev']
  const { status, stdout } = await keyslot('policy', 'simulate', ...asked)
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    Decision: 'ALLOWED',
    Source: 'KEY_POLICY',
    Statement: 'Enable IAM User Permissions',
  })
})

describe('a service in development', () => {
  test('says where it is, and that it is not for production', () => {
    expect(welcome).toContain('not for production')
    expect(welcome).toContain('111122223333')
    expect(welcome).toContain('eu-central-1')
  })

  test('says how to go on, in lines that work when they are pasted', async () => {
    const lines = welcome.split('\n').filter((line) => line.includes('npx keyslot'))
    expect(lines).toHaveLength(3)
    // The command as the package's bin runs it; `npx` would look for an installed package here.
    const script = lines.join('\n').replaceAll('npx keyslot', `'${process.execPath}' '${MAIN}'`)
    // Another terminal: it has none of the variables that the service was started with.
    const env = { PATH: process.env.PATH, HOME: home }
    const shell = spawn('sh', ['-c', script], { cwd: home, env })
    const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr)])
    expect({ stdout, stderr }).toEqual({ stdout: 'attack at dawn', stderr: '' })
  })

  test('encrypts and decrypts a file', async () => {
    const plan = Buffer.from([0, 255, 10, 13, 128])
    const context = ['--encryption-context', 'purpose=demo,team=a']
    const text = ['--output', 'text', '--query']
    const encrypted = await keyslot(
      ...['encrypt', '--key-id', 'alias/dev', '--plaintext', file('plan', plan)],
      ...[...context, ...text, 'CiphertextBlob'],
    )
    expect(encrypted).toMatchObject({ status: 0, stderr: '' })
    const blob = file('plan.enc', Buffer.from(encrypted.stdout, 'base64'))
    const decrypted = await keyslot(
      ...['decrypt', '--ciphertext-blob', blob, ...context, ...text, 'Plaintext'],
    )
    expect(decrypted).toEqual({ status: 0, stdout: `${plan.toString('base64')}\n`, stderr: '' })
  })

  test('encrypts what comes on stdin', async () => {
    const plaintext = ['--plaintext', 'fileb:///dev/stdin']
    const { status, stdout } = await keyslotReading(
      'attack at dawn',
      ...['encrypt', '--key-id', 'alias/dev', ...plaintext],
    )
    expect(status).toBe(0)
    const { CiphertextBlob } = JSON.parse(stdout)
    const blob = ['--ciphertext-blob', CiphertextBlob]
    const decrypted = await keyslot('decrypt', ...blob, '--query', 'Plaintext', '--output', 'text')
    expect(Buffer.from(decrypted.stdout, 'base64').toString()).toBe('attack at dawn')
  })

  test('makes a key with tags, and lists them', async () => {
    const tags = ['TagKey=team,TagValue=a', 'TagKey=stage,TagValue=']
    const made = await keyslot('create-key', '--no-multi-region', '--tags', ...tags)
    expect(made).toMatchObject({ status: 0, stderr: '' })
    const { KeyId } = JSON.parse(made.stdout).KeyMetadata
    const listed = await keyslot('list-resource-tags', '--key-id', KeyId)
    expect(JSON.parse(listed.stdout).Tags).toEqual(
      expect.arrayContaining([
        { TagKey: 'team', TagValue: 'a' },
        { TagKey: 'stage', TagValue: '' },
      ]),
    )
    // An operation that has nothing to say prints nothing.
    const disabled = await keyslot('disable-key', '--key-id', KeyId)
    expect(disabled).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  test('lists in pages', async () => {
    const all = await keyslot('list-keys', '--page-size', '1')
    const { Keys } = JSON.parse(all.stdout)
    expect(Keys.length).toBeGreaterThan(1)
    const first = JSON.parse((await keyslot('list-keys', '--max-items', '1')).stdout)
    expect(first.Keys).toEqual(Keys.slice(0, 1))
    const rest = await keyslot('list-keys', '--starting-token', first.NextToken)
    expect(JSON.parse(rest.stdout)).toEqual({ Keys: Keys.slice(1) })
    const text = await keyslot('list-keys', '--max-items', '1', '--output', 'text')
    expect(text.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      'KEYS',
      'NEXTTOKEN',
      '',
    ])
  })

  test('refuses in the words of AWS, with 254', async () => {
    const { status, stdout, stderr } = await keyslot('describe-key', '--key-id', 'alias/nobody')
    expect({ status, stdout }).toEqual({ status: 254, stdout: '' })
    expect(stderr).toMatch(
      /^keyslot: An error occurred \(NotFoundException\) when calling the DescribeKey operation: /,
    )
    expect(stderr).toMatch(/^Request id: [0-9a-f-]{36}$/m)
  })

  test('lets hsm check look at its token', async () => {
    const { status, stdout, stderr } = await keyslot('hsm', 'check')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Token +keyslot$/m)
    expect(stdout).toMatch(/^CKM_AES_GCM +encryption +yes +yes +yes$/m)
    const json = await keyslot('hsm', 'check', '--output', 'json', '--hsm-token-label', 'absent')
    expect(json).toMatchObject({ status: 1, stdout: '' })
    expect(json.stderr).toContain('keyslot: the token cannot serve: ')
  })

  test('does not start twice on one address', async () => {
    const listen = ['--grpc-listen', environment.KEYSLOT_ENDPOINT ?? '']
    const twice = await keyslot('serve', '--dev', '--home', 'other', ...LISTEN, ...listen)
    expect(twice).toMatchObject({ status: 255, stdout: '' })
    expect(twice.stderr).toContain('keyslot: cannot start: ')
  })

  test('stops when it is told to while it waits for the token', async () => {
    const own = ['--home', join(home, 'waiting'), '--hsm-token-label', 'absent', ...LISTEN]
    const waiting = start('serve', ...own)
    let log = ''
    for await (const chunk of waiting.stderr) {
      log += chunk
      if (log.includes('waiting for the HSM')) break
    }
    const ended = once(waiting, 'exit')
    waiting.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  test('stops when it is told to', async () => {
    // Under npm, one Ctrl-C comes twice.
    service.kill('SIGINT')
    service.kill('SIGTERM')
    const [status] = await once(service, 'exit')
    expect(status).toBe(0)
    expect((await keyslot('list-keys')).status).toBe(255)
  })
})
