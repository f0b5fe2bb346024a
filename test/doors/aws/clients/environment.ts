/** The service that AWS's clients are tried against, and the variables by which they find it. */

import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type RunningService, startTestService } from '../../../harness.ts'
import type { AccessKey } from '../sign.ts'
import { PATH } from './tools.ts'

/** What every test of a client has. */
export interface ClientStage {
  readonly service: RunningService
  readonly key: AccessKey
  readonly endpoint: string
  readonly region: string
  /** A folder of the test's own. */
  readonly folder: string
  /** What `keyslot env` would export, without what this machine says of other services. */
  readonly environment: NodeJS.ProcessEnv
}

let stage: ClientStage | undefined

/** Starts a service before the tests of the calling file, and stops it after them. */
export function useClientStage(): void {
  beforeAll(async () => {
    const service = await startTestService()
    const key = accessKeyOf(service.config.home)
    const { awsEndpoint: endpoint } = service.service
    const { region } = service.place
    const folder = mkdtempSync(join(tmpdir(), 'keyslot-aws-clients-'))
    const environment = environmentFor(endpoint, region, key)
    stage = { service, key, endpoint, region, folder, environment }
  })
  beforeEach(keepTime)
  afterAll(async () => {
    if (!stage) return
    await stage.service.stop()
    rmSync(stage.folder, { recursive: true, force: true })
  })
}

/** Clients sign with the machine's time: the service's clock, which stands still, is put to it. */
function keepTime(): void {
  const { service } = client()
  service.moveClock(Date.now() - service.clock())
}

/** The stage of this file. */
export function client(): ClientStage {
  if (!stage) throw new Error('useClientStage() comes first')
  return stage
}

/** Runs a line of shell as somebody would type it, in the folder of the test. */
export async function shell(line: string): Promise<string> {
  const { folder, environment } = client()
  keepTime()
  const options = { cwd: folder, env: environment }
  const { stdout } = await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', line], options)
  return stdout
}

/** The access key that a first start has written. */
export function accessKeyOf(home: string): AccessKey {
  const credentials = readFileSync(join(home, 'credentials'), 'utf8')
  const [, accessKeyId = ''] = /^aws_access_key_id = (\S+)$/m.exec(credentials) ?? []
  const [, secretAccessKey = ''] = /^aws_secret_access_key = (\S+)$/m.exec(credentials) ?? []
  return { accessKeyId, secretAccessKey }
}

function environmentFor(endpoint: string, region: string, key: AccessKey): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  return {
    ...Object.fromEntries(others),
    PATH,
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
}
