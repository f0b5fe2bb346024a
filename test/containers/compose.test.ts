/** `docker compose up`: what it serves, what it keeps, and what it may not do. */

import { randomUUID } from 'node:crypto'
import {
  DockerComposeEnvironment,
  type StartedDockerComposeEnvironment,
  type StartedTestContainer,
  Wait,
} from 'testcontainers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import { docker, ROOT, whyNoDocker } from './docker.ts'

const UP_MS = 600_000
const USE_MS = 120_000

const reason = whyNoDocker()
if (reason !== undefined) console.warn(`SKIPPED: containers: ${reason}`)

describe.skipIf(reason !== undefined)('docker compose up', { timeout: USE_MS }, () => {
  const project = `keyslot-test-${randomUUID().slice(0, 8)}`
  let environment: StartedDockerComposeEnvironment
  let container: StartedTestContainer
  let client: Client

  beforeAll(up, UP_MS)

  afterAll(async () => {
    client?.close()
    await environment?.down({ removeVolumes: true })
  }, USE_MS)

  async function up(): Promise<void> {
    environment = await new DockerComposeEnvironment(ROOT, 'docker-compose.yml')
      .withProjectName(project)
      .withEnvironment({ KEYSLOT_PORT: '0' })
      .withWaitStrategy('keyslot-1', Wait.forHealthCheck())
      .up()
    container = environment.getContainer('keyslot-1')
    client = connect({
      endpoint: `127.0.0.1:${container.getMappedPort(4770)}`,
      ca: await execute('cat', 'tls/ca.pem'),
      certificate: await execute('cat', 'tls/root.pem'),
      privateKey: await execute('cat', 'tls/root-key.pem'),
    })
  }

  async function execute(...command: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await container.exec(command)
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${stderr}`)
    return stdout
  }

  test('serves whoever has the credentials, through the published port', async () => {
    const plaintext = Buffer.from('attack at dawn')
    const { ciphertextBlob } = await client.call('Encrypt', { keyId: 'alias/dev', plaintext })
    const decrypted = await client.call('Decrypt', { ciphertextBlob })
    expect(decrypted.plaintext).toEqual(plaintext)
  })

  test('prints first lines that work in the container', async () => {
    const lines = docker('logs', container.getId())
      .split('\n')
      .filter((line) => line.includes('npx keyslot'))
    expect(lines).toHaveLength(3)
    const script = ['cd "$(mktemp -d)"', ...lines].join('\n')
    expect(await execute('sh', '-c', script)).toBe('attack at dawn')
  })

  test('is published to this machine alone', () => {
    const ports = docker(
      'inspect',
      '--format',
      '{{json .NetworkSettings.Ports}}',
      container.getId(),
    )
    const bound = Object.entries<{ HostIp: string }[] | null>(JSON.parse(ports))
    expect(bound.map(([port, hosts]) => [port, hosts?.map(({ HostIp }) => HostIp)])).toEqual([
      ['4770/tcp', ['127.0.0.1']],
    ])
  })

  test('has no root, no privilege, no compiler and nothing to write on but its volume', async () => {
    expect(await execute('id', '--user')).toBe('1000\n')
    const status = await execute('cat', '/proc/1/status')
    expect(status).toMatch(/^CapBnd:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    for (const path of ['/opt/keyslot/x', '/home/node/x', '/usr/local/bin/x']) {
      await expect(execute('touch', path)).rejects.toThrow('Read-only file system')
    }
    const compilers = 'for each in cc gcc g++ c++ clang make python3; do command -v $each; done; :'
    expect(await execute('sh', '-c', compilers)).toBe('')
  })

  test('finds token and keys again when the containers are made anew', async () => {
    const plaintext = Buffer.from('kept on the volume')
    const { ciphertextBlob } = await client.call('Encrypt', { keyId: 'alias/dev', plaintext })
    client.close()
    await environment.down({ removeVolumes: false })
    await up()
    const decrypted = await client.call('Decrypt', { ciphertextBlob })
    expect(decrypted.plaintext).toEqual(plaintext)
  })
})
