/**
 * The HSM process: it owns the PKCS#11 module, the PIN, the sessions and the handles. This is its
 * object thread: it starts everything, and serves object management, one call after the other.
 *
 * Spawned by the supervisor with the management pipe as descriptor 3 and one pipe for each worker
 * from 4 on. It ends when the management pipe does.
 */

import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { KmsError } from '../../model/failures.ts'
import { workersWanted } from '../lanes.ts'
import type { FromProcess, ManagementCall, ToProcess } from '../management.ts'
import { FramePipe } from '../pipe.ts'
import { profileBefore } from '../profiles/choose.ts'
import type { HsmSettings } from '../settings.ts'
import { RefusedError } from '../token/module.ts'
import { TokenError } from '../token/return-values.ts'
import { MANAGEMENT_FRAME_BYTES_MAX } from '../wire.ts'
import { CanaryError } from './objects.ts'
import { openToken, type ServedToken } from './token.ts'
import type { WorkerEvent, WorkerStart } from './worker.ts'

const MANAGEMENT_FD = 3
const FIRST_WORKER_FD = 4
/** How long workers may take to finish their calls once their pipes have closed. */
const CLOSING_MS = 10_000

let served: ServedToken | undefined
const workers: Worker[] = []
/** Workers that are about to end by themselves. */
const leaving: Promise<void>[] = []
let ending = false

// The door ends this process by closing its pipes; a signal to the whole group is meant for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const pipe = new FramePipe(new Socket({ fd: MANAGEMENT_FD, readable: true, writable: true }), {
  frameBytesMax: MANAGEMENT_FRAME_BYTES_MAX,
  onFrame: (frame) => receive(JSON.parse(frame.bytes().toString()) as ToProcess),
  onClose: () => void end(),
})

process.on('uncaughtException', (cause) => fault(`a bug: ${cause.stack ?? cause.message}`))
process.on('unhandledRejection', (cause) => fault(`a bug: ${cause}`))

function receive(message: ToProcess): void {
  if (message.kind === 'start') {
    start(message.settings, message.workerPipes).catch((cause: unknown) => {
      const why = cause instanceof RefusedError ? 'refused' : 'down'
      void end({ why, reason: reasonOf(cause) })
    })
    return
  }
  // Whoever called learns of the end by the end.
  if (ending) return
  const { sequence, call } = message
  try {
    if (served === undefined) throw new Error('a call before the start')
    send({ kind: 'answer', sequence, answer: perform(served, call) ?? null })
  } catch (cause) {
    send({ kind: 'failure', sequence, failure: failureOf(cause) })
    if (isOfTheDevice(cause)) fault(reasonOf(cause))
  }
}

async function start(settings: HsmSettings, workerPipes: number): Promise<void> {
  const profile = profileBefore(settings.profile, settings.modulePath)
  const wanted = Math.min(workersWanted(profile, settings.workers), workerPipes)
  for (let at = 0; at < wanted; at++) newWorker()
  const token = await openToken(settings, (level, message, fields) => {
    if (level !== 'debug') send({ kind: 'log', level, message, fields })
  })
  served = token
  for (const worker of workers.splice(token.workersMax)) void worker.terminate()
  const starts = workers.map((worker, at) =>
    startWorker(worker, token.workerStart(FIRST_WORKER_FD + at)),
  )
  await Promise.all(starts)
  token.workers = workers.length
  send({ kind: 'ready', identity: token.identity, workers: workers.length })
}

function newWorker(): void {
  // The extension is this file's own: `.js` once the package is built.
  const file = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url)
  // The descriptor of its pipe came with the process: Node would warn when it closes that.
  const worker = new Worker(file, { trackUnmanagedFds: false })
  workers.push(worker)
  worker.on('error', (cause: Error) => {
    fault(`a worker failed: ${cause.stack ?? cause.message}`)
  })
  worker.on('exit', () => {
    const at = workers.indexOf(worker)
    if (at < 0) return
    workers.splice(at, 1)
    fault('a worker ended')
  })
}

function startWorker(worker: Worker, workerStart: WorkerStart): Promise<void> {
  worker.postMessage(workerStart)
  return new Promise((resolve) => {
    worker.on('message', (event: WorkerEvent) => {
      if (event.kind === 'started') resolve()
      if (event.kind === 'fault') fault(event.reason)
      if (event.kind === 'bug') send({ kind: 'log', level: 'error', message: event.reason })
      if (event.kind === 'ended') leave(worker)
    })
  })
}

/** A worker whose pipe the door has closed ends by itself: that is no fault. */
function leave(worker: Worker): void {
  const at = workers.indexOf(worker)
  if (at < 0) return
  workers.splice(at, 1)
  leaving.push(new Promise((resolve) => worker.once('exit', () => resolve())))
}

function perform({ objects, imports, ...served }: ServedToken, call: ManagementCall): unknown {
  switch (call.verb) {
    case 'suite':
      return served.suite
    case 'lacks':
      return served.lacks(call.input)
    case 'generateBackingKey':
      return objects.generate(call.input)?.toString('base64')
    case 'provesBackingKey': {
      const { publicKey, ...named } = call.input
      return objects.proves({
        ...named,
        publicKey: publicKey === undefined ? undefined : Buffer.from(publicKey, 'base64'),
      })
    }
    case 'publicKeyOf':
      return objects.publicKeyOf(call.input)?.toString('base64')
    case 'destroyBackingKey':
      return objects.destroy(call.input)
    case 'listBackingKeys':
      return objects
        .list()
        .map((found) => `${found.id}${found.suite ?? 0}`)
        .join('')
    case 'createCanary':
      return objects.createCanary()
    case 'proveCanary':
      return objects.proveCanary()
    case 'findBackingKey':
      return objects.findAgain(call.input)
    case 'check':
      return served.check()
    case 'makeWrappingKey':
      return imports.makeWrappingKey(call.input).toString('base64')
    case 'destroyWrappingKey':
      return imports.destroyWrappingKey(call.input)
    case 'listWrappingKeys':
      return imports.listWrappingKeys()
    case 'checkMaterial':
      return imports.checkMaterial(call.input)
    case 'importBackingKey':
      return imports.importBackingKey(call.input)?.toString('base64') ?? null
  }
}

/** A canary that does not sing, or a token that is gone: this process cannot go on. */
function isOfTheDevice(cause: unknown): boolean {
  if (cause instanceof CanaryError) return served?.objects.canaryId !== undefined
  return cause instanceof TokenError && cause.value.follows === 'restart process'
}

function failureOf(cause: unknown) {
  if (cause instanceof KmsError) {
    return { name: cause.name, grpc: cause.grpc, message: cause.message }
  }
  return { message: reasonOf(cause) }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function fault(reason: string): void {
  void end({ why: 'down', reason })
}

/** Finishes what is under way, closes sessions and module, and ends the process. */
async function end(because?: { why: 'down' | 'refused'; reason: string }): Promise<void> {
  if (ending) return
  ending = true
  if (because !== undefined) send({ kind: 'ending', ...because })
  // Workers end by themselves when the door closes their pipes, as it does when it is told of the
  // end; one that is at work need not come to its end.
  const closing = workers.map((worker) => {
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    if (because !== undefined || served === undefined) void worker.terminate()
    return ended
  })
  // Not `process.exit`, which waits for a thread that hangs in the module.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), CLOSING_MS).unref()
  await Promise.all(closing)
  await Promise.all(leaving)
  served?.close()
  pipe.end()
  process.exit(0)
}

function send(message: FromProcess): void {
  const { writer } = pipe
  writer.begin()
  writer.bytes(Buffer.from(JSON.stringify(message)))
  writer.end()
  pipe.flush()
}
