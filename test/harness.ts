/**
 * A whole service for tests: a real token, store, audit log and TLS in a temporary directory, with
 * a clock that is moved by hand.
 */

import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect } from '../src/client/client.ts'
import { type Config, loadConfig } from '../src/config.ts'
import { issueClientCertificate } from '../src/development/authority.ts'
import { type RunningService as Service, serve } from '../src/main.ts'
import type { Place } from '../src/model/arn.ts'
import type { HsmSettings } from '../src/pkcs11/settings.ts'

/** An audit record, as far as tests look into it. */
export interface AuditRecord {
  readonly eventTime: string
  readonly requestID: string
  readonly eventName: string
  readonly outcome: 'attempted' | 'succeeded' | 'failed'
  readonly door: string
  readonly userIdentity?: { readonly type: string; readonly arn: string }
  readonly requestParameters?: Readonly<Record<string, unknown>>
  readonly resources: readonly { readonly ARN: string }[]
  readonly errorCode?: string
  readonly errorMessage?: string
}

/** A running service and what tests do with it. */
export interface RunningService {
  /** Calls as the account's root. */
  readonly client: Client
  readonly place: Place
  readonly config: Config
  readonly service: Service
  /** Calls as the root of an account, which is made if there is none, or as the SPIFFE id says. */
  clientOf(accountOrSpiffeId: string): Client
  /** The service's clock, in milliseconds since the epoch. */
  clock(): number
  moveClock(byMs: number): void
  runJobs(): Promise<void>
  /** Every record of the audit log so far. */
  auditRecords(): readonly AuditRecord[]
  backingKeysInToken(): Promise<number>
  /** Stops and starts the service again on the same state. */
  restart(): Promise<void>
  /** Stops the service and removes its directory. */
  stop(): Promise<void>
}

/** Flags of `keyslot serve` that differ from a development service on free ports. */
export type Flags = Readonly<Record<string, string>>

/** Longer than any test moves the clock. */
const CERTIFICATE_VALIDITY_MS = 3000 * 86_400_000

/**
 * Starts a service in a directory of its own.
 *
 * @param hsm what is different below it: a module that fails, say.
 */
export async function startTestService(
  flags: Flags = {},
  hsm: (settings: HsmSettings) => HsmSettings = (settings) => settings,
): Promise<RunningService> {
  const home = flags.home ?? mkdtempSync(join(tmpdir(), 'keyslot-service-'))
  const loaded = loadConfig({
    flags: {
      dev: true,
      home,
      grpcListen: '127.0.0.1:0',
      awsListen: '127.0.0.1:0',
      statusListen: '127.0.0.1:0',
      jobIntervalMs: '86400000',
      ...flags,
    },
    environment: {},
    cwd: home,
  })
  const config = { ...loaded, hsm: hsm(loaded.hsm) }
  let nowMs = Date.now()
  const clock = () => nowMs
  const clients = new Map<string, Client>()
  let service = await startService()

  function startService(): Promise<Service> {
    return serve(config, { clock, log: () => {} })
  }

  function clientOf(accountOrSpiffeId: string): Client {
    const known = clients.get(accountOrSpiffeId)
    if (known) return known
    const spiffeId = accountOrSpiffeId.startsWith('spiffe:')
      ? accountOrSpiffeId
      : `spiffe://${config.trustDomain}/account/${accountOrSpiffeId}/root`
    const issued = issueClientCertificate(home, {
      spiffeId,
      validityMs: CERTIFICATE_VALIDITY_MS,
      clock: Date.now,
    })
    const connected = connect({
      endpoint: service.grpcAddress,
      ca: readFileSync(join(home, 'tls', 'ca.pem')),
      ...issued,
    })
    const client = /^[0-9]{12}$/.test(accountOrSpiffeId)
      ? inAccount(connected, accountOrSpiffeId)
      : connected
    clients.set(accountOrSpiffeId, client)
    return client
  }

  /** A client whose account is made before its first call. */
  function inAccount(client: Client, account: string): Client {
    if (account === config.place.account) return client
    let made: Promise<unknown> | undefined
    const makeAccount = () =>
      clientOf(config.place.account)
        .call('CreateAccount', { account, accountName: 'of a test' })
        .catch((error: Error) => {
          if (error.name !== 'EntityAlreadyExistsException') throw error
        })
    return {
      ...client,
      async call(...call) {
        made ??= makeAccount()
        await made
        return client.call(...call)
      },
    }
  }

  const records: AuditRecord[] = []
  let recordsBytes = 0

  /** The log only grows: what has been read is not read again. */
  function auditRecords(): readonly AuditRecord[] {
    const fd = openSync(config.audit, 'r')
    try {
      const fresh = Buffer.alloc(fstatSync(fd).size - recordsBytes)
      readSync(fd, fresh, 0, fresh.length, recordsBytes)
      const end = fresh.lastIndexOf('\n') + 1
      recordsBytes += end
      const lines = fresh.toString('utf8', 0, end).split('\n')
      records.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line)))
      return [...records]
    } finally {
      closeSync(fd)
    }
  }

  function closeClients(): void {
    for (const client of clients.values()) client.close()
    clients.clear()
  }

  return {
    get client() {
      return clientOf(config.place.account)
    },
    get service() {
      return service
    },
    place: config.place,
    config,
    clientOf,
    clock,
    moveClock(byMs) {
      nowMs += byMs
    },
    runJobs: () => service.runJobs(),
    auditRecords,
    backingKeysInToken: async () => (await service.hsm.objects.listBackingKeys()).length,
    async restart() {
      closeClients()
      await service.stop()
      service = await startService()
    },
    async stop() {
      closeClients()
      await service.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
