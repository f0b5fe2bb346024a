/** The composition root: the only file that knows every room. */

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Config } from './config.ts'
import { accessKeyIn, writeCredentials } from './development/credentials.ts'
import { type Development, ensureDevelopment } from './development/development.ts'
import { createAdmission } from './doors/admission.ts'
import { startAwsDoor } from './doors/aws/server.ts'
import { startGrpcDoor } from './doors/grpc/server.ts'
import { startStatusDoor } from './doors/status/server.ts'
import { startScheduler } from './jobs/scheduler.ts'
import { createLifecycle } from './lifecycle/lifecycle.ts'
import { reconcile, settleInterrupted } from './lifecycle/reconcile.ts'
import { rootArn } from './model/arn.ts'
import type { Caller } from './model/caller.ts'
import { KmsError } from './model/failures.ts'
import type { Account } from './model/identities/account.ts'
import { newAccessKey } from './model/identities/principal.ts'
import { accessKeyContext } from './model/identities/session.ts'
import { parseSpiffeId } from './model/identities/spiffe-id.ts'
import type { Services } from './operations/operation.ts'
import { OPERATIONS } from './operations/table.ts'
import { openAuditLog } from './pipeline/audit-log.ts'
import { createAuthority } from './pipeline/authorise.ts'
import type { Pipeline } from './pipeline/call.ts'
import type { SvidSettings } from './pipeline/identities/bearer.ts'
import { openSealer } from './pipeline/identities/own-key.ts'
import { createIdentities } from './pipeline/identities.ts'
import { createPipeline } from './pipeline/pipeline.ts'
import type { AttackReport } from './pkcs11/attacks/report.ts'
import { attackToken } from './pkcs11/attacks/run.ts'
import { type HsmHandle, startHsm } from './pkcs11/client/supervisor.ts'
import type { HsmReport } from './pkcs11/settings.ts'
import { applySeed } from './seed/seed.ts'
import { openStore } from './store/database.ts'
import type { QuarantinedObject, Store } from './store/store.ts'
import { type Log, openLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

/** What a test may replace. */
export interface ServiceOptions {
  /** Milliseconds since the epoch; the machine's clock unless given. */
  readonly clock?: () => number
  /** Standard error, in JSON lines, unless given. */
  readonly log?: Log
  /** Gives the start up while it waits for the HSM. */
  readonly signal?: AbortSignal
}

/** A running service. */
export interface RunningService {
  /** The gRPC door's address, `host:port`. */
  readonly grpcAddress: string
  /** The AWS door, `http://host:port` or `https://`. */
  readonly awsEndpoint: string
  /** The status door's address, `host:port`. */
  readonly statusAddress: string
  readonly hsm: HsmHandle
  /** What a first start made; in development mode only. */
  readonly development?: Development
  /** Runs every job once, now. */
  runJobs(): Promise<void>
  /** Takes no new calls, finishes those under way and ends the HSM process. */
  stop(): Promise<void>
}

/**
 * Starts the service, and resolves when it serves.
 *
 * @throws Error when the operator has to act first: the HSM refuses, the store is not ours, a
 *   port is taken; the signal's reason when it has given up.
 */
export async function serve(config: Config, options: ServiceOptions = {}): Promise<RunningService> {
  const { clock = Date.now, log = openLog(config.logLevel), signal } = options
  await using started = new AsyncDisposableStack()
  for (const warning of config.warnings) log('warn', warning)
  const development = config.development ? await develop(config, clock) : undefined
  const metrics = createMetrics()

  const store = await openStore({ path: config.database })
  started.defer(() => store.close())
  // After the doors and the jobs, which are stopped first.
  started.defer(() => writeLastUses(store, log))
  const audit = await openAuditLog(config.audit)
  started.defer(() => audit.close())
  const installation = await store.installation()
  const hsm = await startHsm({ ...config.hsm, canaryId: installation?.canaryId }, { log })
  started.defer(() => hsm.stop())
  const health = healthOf(hsm)
  started.defer(hsm.onChange(({ state }) => metrics.hsmReady(state === 'ready')))
  metrics.hsmReady(health.ready())
  metrics.hsmCalls(() => hsm.metrics())
  const status = await startStatusDoor(
    { listen: config.statusListen },
    { health, registry: metrics.registry },
  )
  started.defer(() => status.stop())
  await untilReady(hsm, log, signal)

  if (!installation) await install(hsm, store, clock)
  const changes = { store, objects: hsm.objects, clock, log }
  // Nobody else has this store open before the doors are.
  await reconcile(changes, { patienceMs: 0 })
  const lifecycle = createLifecycle(changes)
  const sealing = { store, hsm: hsm.hsm, lifecycle, clock }
  const sealer = await openSealer(sealing, config.place.region)
  await store.identities.accounts.insert(firstAccount(config, clock))
  const { region } = config.place
  const identities = createIdentities({ store, sealer, region, clock, svids: svidsOf(config) })
  const authority = createAuthority({ store, identities, region, clock })
  const pipeline = createPipeline({
    operations: OPERATIONS,
    services: { ...sealing, sealer, authority },
    identities,
    operator: config.place.account,
    region,
    audit: (line) => audit.append(line),
    onEnd: metrics.call,
    onFault: (name, requestId, { message, cause }) =>
      log('error', `${name} failed: ${message}`, { requestId, cause }),
  })
  if (development) {
    await ensureDevelopmentKey(pipeline, config)
    await ensureDevelopmentCredentials(config, { store, sealer, clock })
  }
  const { seed } = config
  if (seed !== undefined) await applySeed(seed, { pipeline, operator: config.place.account })
  const scheduler = startScheduler(
    {
      pipeline,
      store,
      clock,
      settle: () => settleInterrupted(changes),
      reconcile: () => reconcile(changes),
      onFailure: (job, cause) => log('error', `job failed: ${job}`, { cause }),
    },
    config.jobIntervalMs,
  )
  started.defer(() => scheduler.stop())
  const admission = createAdmission(config)
  const parts = { pipeline, identities, admission, log, clock, onEnd: metrics.call }
  const { credential } = identities
  const doors = await openDoors(config, { ...parts, health }, { ...parts, credential })
  started.defer(() => doors.stop())
  const { grpcAddress, awsEndpoint } = doors
  log('info', 'keyslot serves', { grpc: grpcAddress, aws: awsEndpoint, status: status.address })

  const running = started.move()
  return {
    grpcAddress,
    awsEndpoint,
    statusAddress: status.address,
    hsm,
    development,
    runJobs: () => scheduler.runOnce(),
    stop: () => running.disposeAsync(),
  }
}

/** Makes the token and the certificates of development where they are missing; starts nothing. */
export function hsmInit(config: Config): Promise<Development> {
  return develop(config, Date.now)
}

/** Asks the token what it is and whether it works, without starting the service. */
export async function hsmCheck(config: Config): Promise<HsmReport> {
  const installation = existsSync(config.database)
    ? await withStore(config, (store) => store.installation())
    : undefined
  const hsm = await startHsm({ ...config.hsm, canaryId: installation?.canaryId }, { log: () => {} })
  try {
    const { state, reason } = hsm.state()
    if (state !== 'ready') throw new Error(reason ?? `the HSM process is ${state}`)
    return await hsm.check()
  } finally {
    await hsm.stop()
  }
}

/** Attacks keys that it makes in the token for this, and destroys them. */
export function hsmAttack(config: Config): Promise<AttackReport> {
  return attackToken({ settings: config.hsm })
}

/** The objects of the token that no row of the store explains; the first thousand. */
export function quarantined(config: Config): Promise<readonly QuarantinedObject[]> {
  return withStore(config, (store) => store.intents.quarantined({ limit: 1000 }))
}

/**
 * Takes objects out of quarantine for good: they stay in the token and are never used. While
 * objects are in quarantine, no key is destroyed.
 */
export function release(config: Config, backingKeyIds: readonly string[]): Promise<void> {
  return withStore(config, async (store) => {
    for (const id of backingKeyIds) await store.intents.release(id, Date.now())
  })
}

async function withStore<T>(config: Config, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ path: config.database })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

function develop(config: Config, clock: () => number): Promise<Development> {
  const { home, place, trustDomain, grpcListen, softhsmConf } = config
  const { modulePath, tokenLabel, pinFile } = config.hsm
  if (pinFile === undefined) throw new Error('development mode makes its own PIN: give no other')
  return ensureDevelopment({
    home,
    account: place.account,
    trustDomain,
    host: grpcListen.host,
    hsm: { modulePath, tokenLabel, softhsmConf, pinFile },
    clock,
  })
}

/** The account of the installation, whose root makes the others. */
function firstAccount({ place: { account } }: Config, clock: () => number): Account {
  return { account, name: 'the first account', createdMs: clock() }
}

/** By what JWT-SVIDs are verified: the file is read again whenever it has changed. */
function svidsOf({ svid: { jwks, audience }, trustDomain }: Config): SvidSettings | undefined {
  if (jwks === undefined) return undefined
  let read = { mtimeMs: Number.NaN, text: '' }
  const current = () => {
    const { mtimeMs } = statSync(jwks)
    if (mtimeMs !== read.mtimeMs) read = { mtimeMs, text: readFileSync(jwks, 'utf8') }
    return read.text
  }
  current()
  return {
    jwks: current,
    audiences: [audience],
    nameOf: (spiffeId) => parseSpiffeId(spiffeId, trustDomain),
  }
}

/** A store that cannot be written any more must not keep the service from stopping. */
async function writeLastUses({ lastUses }: Store, log: Log): Promise<void> {
  try {
    await lastUses.flush()
  } catch (cause) {
    log('error', 'the last uses of keys could not be written', { cause })
  }
}

/** What the doors ask about health. */
function healthOf(hsm: HsmHandle) {
  return {
    ready: () => hsm.state().state === 'ready',
    reasons: () => {
      const { state, reason } = hsm.state()
      return state === 'ready'
        ? []
        : [`the HSM process is ${state}: ${reason ?? 'no reason given'}`]
    },
    onChange: (listener: () => void) => hsm.onChange(listener),
  }
}

/** Waits for a token that is slow to come; refuses to go on when only the operator can help. */
async function untilReady(hsm: HsmHandle, log: Log, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const giveUp = () => reject(signal?.reason)
  const look = () => {
    const { state, reason } = hsm.state()
    if (state === 'ready') resolve()
    if (state === 'refused') reject(new Error(reason ?? 'the HSM refuses'))
  }
  const stop = hsm.onChange(look)
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted) giveUp()
  look()
  const { state, reason } = hsm.state()
  if (state === 'down') log('warn', 'waiting for the HSM', { reason })
  try {
    await promise
  } finally {
    stop()
    signal?.removeEventListener('abort', giveUp)
  }
}

/** Pairs a new store with its token: the canary tells them from any other. */
async function install(hsm: HsmHandle, store: Store, clock: () => number): Promise<void> {
  const canaryId = await hsm.objects.createCanary()
  await store.install({ canaryId, createdMs: clock() })
}

/** Opens both doors, on one port if they are given the same address. */
async function openDoors(
  config: Config,
  grpcParts: Parameters<typeof startGrpcDoor>[1],
  awsParts: Parameters<typeof startAwsDoor>[1],
) {
  const { shutdownGraceMs, tls, trustDomain, maxInFlightPerIdentity } = config
  const { maxConnections, maxConnectionsPerAddress, awsListen, awsTls } = config
  const limits = { maxConnections, maxConnectionsPerAddress }
  const isShared = isOnePort(config)
  const listen = isShared ? undefined : config.grpcListen
  const grpc = await startGrpcDoor(
    { listen, tls, trustDomain, maxInFlightPerIdentity, ...limits },
    grpcParts,
  )
  try {
    const { region } = config.place
    const aws = await startAwsDoor(
      { listen: awsListen, tls: awsTls ? tls : undefined, region, ...limits },
      { ...awsParts, toGrpc: isShared ? grpc.take : undefined },
    )
    return {
      grpcAddress: isShared ? aws.address : grpc.address,
      awsEndpoint: aws.endpoint,
      stop: async () => {
        // At once: on one port the one waits for the connections of the other.
        await Promise.all([aws, grpc].map((door) => door.stop(shutdownGraceMs)))
      },
    }
  } catch (error) {
    await grpc.stop(0)
    throw error
  }
}

/** Port 0 is one of its own for each. */
function isOnePort({ grpcListen, awsListen }: Config): boolean {
  const { host, port } = grpcListen
  return port !== 0 && port === awsListen.port && host === awsListen.host
}

/** As many as AWS lets a root have. */
const ROOT_ACCESS_KEYS_MAX = 2

/** An access key of the account's root, in a file for AWS's clients. */
async function ensureDevelopmentCredentials(
  { home, place: { account } }: Config,
  { store, sealer, clock }: Pick<Services, 'store' | 'sealer' | 'clock'>,
): Promise<void> {
  const { accessKeys } = store.identities
  const known = accessKeyIn(home)
  // Of this store, and not of one that was there before.
  if (known && (await accessKeys.find(known))) return
  const key = newAccessKey('AKIA')
  const { accessKeyId } = key
  const secret = Buffer.from(key.secretAccessKey)
  const sealed = await sealer.seal(secret, accessKeyContext(accessKeyId))
  const sealedSecret = sealed.toString('base64')
  const row = { accessKeyId, account, sealedSecret, status: 'Active', createdMs: clock() } as const
  const outcome = await accessKeys.insert(row, ROOT_ACCESS_KEYS_MAX)
  // With all that it may have, the root has lost the file and not the keys.
  if (outcome === 'inserted') writeCredentials(home, key)
}

const DEVELOPMENT_ALIAS = 'alias/dev'

/** The key of the first encrypt, made as the account's root. */
async function ensureDevelopmentKey(pipeline: Pipeline, { place }: Config): Promise<void> {
  const root: Caller = { arn: rootArn(place.account), account: place.account, kind: 'root' }
  const call = <R>(request: R) => ({
    door: 'development' as const,
    requestId: randomUUID(),
    authenticate: () => root,
    request: () => request,
    limits: {},
  })
  try {
    await pipeline.call('DescribeKey', call({ keyId: DEVELOPMENT_ALIAS, grantTokens: [] }))
  } catch (error) {
    if (!(error instanceof KmsError) || error.name !== 'NotFoundException') throw error
    const { keyMetadata } = await pipeline.call(
      'CreateKey',
      call({
        policy: '',
        description: 'made by the first start in development mode',
        bypassPolicyLockoutSafetyCheck: false,
        tags: [],
        multiRegion: false,
      }),
    )
    const targetKeyId = keyMetadata?.keyId ?? ''
    await pipeline.call('CreateAlias', call({ aliasName: DEVELOPMENT_ALIAS, targetKeyId }))
  }
}
