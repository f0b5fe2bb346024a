/** The command as people run it: a process with arguments, output and an exit code. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completionsOf } from '../../src/cli/completion.ts'
import { type ConnectionOptions, clientSettings, locate } from '../../src/cli/connection.ts'
import { environmentLines } from '../../src/cli/env.ts'
import { program } from '../../src/cli/program.ts'
import { kebabCase } from '../../src/cli/rpc/parameters.ts'
import { CONTRACT } from '../../src/contract/contract.ts'
import { ensureAuthority } from '../../src/development/authority.ts'
import { flagOf, SETTING_NAMES } from '../../src/settings.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), "keyslot-command's-"))

beforeAll(() => {
  ensureAuthority(home, { account: '111122223333', clock: Date.now })
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

function keyslot(...words: string[]) {
  return keyslotWith(undefined, ...words)
}

function keyslotWith(input: string | undefined, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, KEYSLOT_HOME: home },
    encoding: 'utf8',
    input,
  })
  return { status, stdout, stderr }
}

describe('the tree of commands', () => {
  const root = program()
  const commands = new Map<string, Command>(root.commands.map((each) => [each.name(), each]))

  test.each(Object.values(CONTRACT))('has $name, with an option for every member', (rpc) => {
    const command = commands.get(kebabCase(rpc.name))
    const flags = command?.options.map(({ long }) => long) ?? []
    for (const { awsName, holds } of rpc.request.fields) {
      expect(flags).toContain(`--${kebabCase(awsName)}`)
      if (holds.kind === 'bool') expect(flags).toContain(`--no-${kebabCase(awsName)}`)
    }
    expect(new Set(flags).size).toBe(flags.length)
    const lists = rpc.request.fields.filter(({ repeated }) => repeated)
    expect(command?.options.filter(({ variadic }) => variadic)).toHaveLength(lists.length)
    const help = command?.helpInformation() ?? ''
    expect(help).toContain(rpc.doc.split(/\s/).slice(0, 3).join(' '))
  })

  test('explains everything', () => {
    const explained = (command: Command): void => {
      expect(command.description(), command.name()).not.toBe('')
      for (const { long, description } of command.options)
        expect(description, `${long}`).not.toBe('')
      command.commands.forEach(explained)
    }
    explained(root)
  })
})

describe('help', () => {
  test('of the command', () => {
    const { status, stdout } = keyslot('--help')
    expect(status).toBe(0)
    for (const name of ['serve', 'env', 'hsm', 'completion', 'create-key', 're-encrypt']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    expect(stdout).toContain('252  the command cannot be understood')
  })

  test('of an operation', () => {
    const { status, stdout } = keyslot('create-key', '--help')
    expect(status).toBe(0)
    expect(stdout).toContain('--key-spec <name>')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('SYMMETRIC_DEFAULT, RSA_2048, RSA_3072')
    expect(stdout).toContain('keyslot create-key --description "orders"')
  })

  test('of the service', () => {
    const serve = program().commands.find((each) => each.name() === 'serve')
    const flags = serve?.options.map(({ long }) => long)
    expect(flags).toEqual(['--dev', '--config', ...SETTING_NAMES.map(flagOf)])
  })

  test('and the version', () => {
    expect(keyslot('--version')).toMatchObject({ status: 0, stdout: '0.1.0\n', stderr: '' })
  })
})

describe('what cannot be understood', () => {
  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['encrypt', 'alias/a'], 'too many arguments'],
    [['list-keys', '--output', 'xml'], 'Allowed choices are json, text, yaml'],
    [['list-keys', '--query', 'Keys['], 'bad value for --query Keys['],
    [['list-keys', '--max-items', '0'], 'It must be a whole number'],
    [['list-keys', '--limit', '1', '--max-items', '1'], 'turn pages by hand'],
    [['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
  ])('%j is refused', async (words, message) => {
    const root = program()
    for (const each of [root, ...root.commands]) each.configureOutput({ writeErr: () => {} })
    await expect(root.parseAsync(words, { from: 'user' })).rejects.toThrow(message)
  })

  test.each([
    [['encrypt', '--key-idd', 'a'], "unknown option '--key-idd'\n(Did you mean --key-id?)"],
    [['encrypt', '--key-id', 'a'], 'the following arguments are required: --plaintext'],
  ])('%j ends with 252', (words, message) => {
    const { status, stdout, stderr } = keyslot(...words)
    expect({ status, stdout }).toEqual({ status: 252, stdout: '' })
    expect(stderr).toMatch(/^keyslot: /)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })

  test('no command at all prints the help, to stderr', () => {
    const { status, stdout, stderr } = keyslot()
    expect({ status, stdout }).toEqual({ status: 252, stdout: '' })
    expect(stderr).toContain('Usage: keyslot')
  })
})

describe('settings that are not usable', () => {
  test('of the service end it with 253', () => {
    const { status, stderr } = keyslot('serve', '--grpc-listen', 'here', '--hsm-workers', '0')
    expect(status).toBe(253)
    expect(stderr).toContain('--grpc-listen: "here" is not an address')
    expect(stderr).toContain('--hsm-workers: "0" is not a whole number from 1 to 256')
  })

  test('of a client end it with 253', () => {
    const { status, stderr } = keyslot('list-keys', '--home', 'elsewhere')
    expect(status).toBe(253)
    expect(stderr).toContain(`cannot read ${join(home, 'elsewhere/tls/ca.pem')} (ENOENT)`)
    expect(stderr).toContain('npm start')
  })
})

describe('a service that is not there', () => {
  // The port of discard, where nothing listens.
  const endpoint = ['--endpoint', '127.0.0.1:9']

  test('ends it with 255, and a hint', () => {
    // Global options may stand before the command too.
    const { status, stdout, stderr } = keyslot(...endpoint, 'list-keys', '--timeout-ms', '9000')
    expect({ status, stdout }).toEqual({ status: 255, stdout: '' })
    expect(stderr).toContain('Could not connect to 127.0.0.1:9')
    expect(stderr).toContain('Is `keyslot serve` running there?')
  })

  test('is told apart from bytes on stdin that are too long', () => {
    const words = ['encrypt', '--key-id', 'a', '--plaintext', 'fileb:///dev/stdin', ...endpoint]
    expect(keyslotWith('plan', ...words).status).toBe(255)
    expect(keyslotWith('x'.repeat(2_000_000), ...words)).toMatchObject({
      status: 252,
      stderr: 'keyslot: --plaintext: /dev/stdin is longer than 1 MiB\n',
    })
  })
})

describe('env', () => {
  test('is evaluated by a shell, whatever the path', () => {
    const { status, stdout } = keyslot('env', '--endpoint', 'kms.example:4770')
    expect(status).toBe(0)
    const shown = spawnSync('sh', ['-c', `${stdout}env`], { encoding: 'utf8', env: {} })
    const variables = shown.stdout.split('\n').filter((line) => /^(KEYSLOT|AWS)_/.test(line))
    expect(variables.toSorted()).toEqual([
      'AWS_DEFAULT_REGION=eu-central-1',
      'AWS_ENDPOINT_URL_KMS=http://127.0.0.1:4771',
      'AWS_ENDPOINT_URL_STS=http://127.0.0.1:4771',
      'AWS_REGION=eu-central-1',
      `KEYSLOT_CA=${join(home, 'tls/ca.pem')}`,
      `KEYSLOT_CERTIFICATE=${join(home, 'tls/root.pem')}`,
      'KEYSLOT_ENDPOINT=kms.example:4770',
      `KEYSLOT_HOME=${home}`,
      `KEYSLOT_PRIVATE_KEY=${join(home, 'tls/root-key.pem')}`,
    ])
  })

  test('follows where the service listens', () => {
    const listens = (KEYSLOT_GRPC_LISTEN: string) => environmentLines({}, { KEYSLOT_GRPC_LISTEN })
    expect(listens('0.0.0.0:5000')).toContain('KEYSLOT_ENDPOINT=127.0.0.1:5000\n')
    expect(listens('[::]:5000')).toContain("KEYSLOT_ENDPOINT='[::1]:5000'\n")
    const aws = environmentLines({}, { KEYSLOT_AWS_LISTEN: '0.0.0.0:5001' })
    expect(aws).toContain('AWS_ENDPOINT_URL_KMS=https://127.0.0.1:5001\n')
    expect(aws).toMatch(/AWS_CA_BUNDLE=.*ca\.pem\n/)
  })

  test('has the credentials of the first start, and unsets what would go before them', () => {
    const other = mkdtempSync(join(tmpdir(), 'keyslot-env-'))
    const profiles = ['[other]', 'aws_access_key_id = AKIAOTHER', '[default]']
    const keys = ['aws_access_key_id = AKIADEFAULT', 'aws_secret_access_key=a/b+c']
    writeFileSync(join(other, 'credentials'), [...profiles, ...keys, ''].join('\n'))
    const lines = environmentLines({ home: other }, {})
    rmSync(other, { recursive: true })
    expect(lines).toContain('export AWS_ACCESS_KEY_ID=AKIADEFAULT\n')
    expect(lines).toContain('export AWS_SECRET_ACCESS_KEY=a/b+c\n')
    expect(lines).toContain('unset AWS_SESSION_TOKEN AWS_PROFILE\n')
  })
})

describe('a token', () => {
  test('is read from its file, and goes before a certificate that nobody asked for', () => {
    const file = join(home, 'token')
    writeFileSync(file, 'a.b.c\n')
    const roleArn = 'arn:aws:iam::111122223333:role/ci'
    const variables = { KEYSLOT_TOKEN_FILE: file, KEYSLOT_TOKEN_ROLE_ARN: roleArn }
    const settings = (options: ConnectionOptions, environment = {}) =>
      clientSettings(locate(options, environment))
    const shown = settings({}, { KEYSLOT_HOME: home, ...variables })
    if (!('token' in shown)) throw new Error('it shows a certificate')
    expect(shown).toMatchObject({ roleArn })
    expect(shown.token()).toBe('a.b.c\n')
    expect(settings({ home, tokenFile: file })).toHaveProperty('token')
    // The home that an option names goes before what the environment says of another.
    expect(settings({ home }, variables)).toHaveProperty('certificate')
    expect(settings({ home, certificate: join(home, 'tls/root.pem') }, variables)).toHaveProperty(
      'certificate',
    )
    expect(() => settings({ home, tokenFile: join(home, 'gone') })).toThrow('KEYSLOT_TOKEN_FILE')
  })
})

describe('completion', () => {
  test('completes commands and options in bash', () => {
    const { status, stdout } = keyslot('completion', 'bash')
    expect(status).toBe(0)
    const complete = (...words: string[]) => {
      const script = `${stdout}
        COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
        COMP_CWORD=${words.length - 1}
        _keyslot
        echo "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim()
    }
    expect(complete('keyslot', 're-')).toBe('re-encrypt')
    expect(complete('keyslot', 'hsm', '')).toBe('init check quarantine release --help')
    expect(complete('keyslot', 'encrypt', '--pl')).toBe('--plaintext')
    expect(complete('keyslot', 'encrypt', '--key-id', 'x', '--encryption-c')).toBe(
      '--encryption-context',
    )
  })

  test('of fish and zsh names every command', () => {
    const names = completionsOf(program()).flatMap(({ path }) => path.split(' '))
    expect(new Set(names)).toEqual(new Set(['', ...named(program())]))
  })
})

test('a reader that goes away early is no failure', () => {
  const script = `"$0" "$1" --help | head -n 1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
    encoding: 'utf8',
  })
  expect(stdout).toBe('Usage: keyslot [options] [command]\n0\n')
  expect(stderr).toBe('')
})

/** The names of a command's commands, and of theirs. */
function named({ commands }: Command): string[] {
  return commands.flatMap((each) => [each.name(), ...named(each)])
}
