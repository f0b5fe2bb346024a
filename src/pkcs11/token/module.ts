/** The PKCS#11 module: loading it, asking what it is, finding the token, logging in. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Module, type Slot, type Token } from 'graphene-pk11'
import pkcs11js, { type PKCS11 } from 'pkcs11js'
import { profileBefore, profileOf } from '../profiles/choose.ts'
import type { Profile } from '../profiles/profile.ts'
import type { HsmSettings, TokenIdentity } from '../settings.ts'
import { asked, TokenError } from './return-values.ts'

const RTLD_NODELETE = 0x1000
const PIN_BYTES_MAX = 1024
const RETRY_FIRST_MS = 50

/** A start that no repetition mends: only the operator can. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** The module, initialised. */
export interface LoadedModule {
  readonly pkcs11: PKCS11
  readonly graphene: Module
  readonly profile: Profile
}

/** The token that was looked for. */
export interface FoundToken {
  readonly slot: Slot
  readonly token: Token
  readonly identity: TokenIdentity
}

/**
 * Loads the module and initialises it.
 *
 * @throws RefusedError when it cannot be loaded, or is of another kind than its name says.
 */
export function loadModule(settings: HsmSettings, onRepair: (what: string) => void): LoadedModule {
  const profile = profileBefore(settings.profile, settings.modulePath)
  for (const what of profile.tokenFiles?.(process.env)?.repair() ?? []) onRepair(what)
  const graphene = bind(settings.modulePath, profile)
  asked('C_Initialize', () => graphene.initialize(initialisation(settings)))
  const said = identityOfLibrary(graphene)
  const recognised = profileOf(said) ?? profile
  if (settings.profile === undefined && recognised.name !== profile.name) {
    throw new RefusedError(
      `the module calls itself '${said.manufacturer}', which its file name does not say:` +
        ` set the profile to '${recognised.name}'`,
    )
  }
  return { pkcs11: graphene.lib, graphene, profile }
}

/**
 * Finds the token by its label.
 *
 * @throws RefusedError when several tokens have the label; Error when none has.
 */
export function findToken({ graphene, profile }: LoadedModule, label: string): FoundToken {
  const slots = asked('C_GetSlotList', () => graphene.getSlots(true))
  const found: { slot: Slot; token: Token }[] = []
  for (let at = 0; at < slots.length; at++) {
    const slot = slots.items(at)
    const token = tokenIn(slot)
    if (token?.label.trimEnd() === label) found.push({ slot, token })
  }
  const [only, ...others] = found
  if (only === undefined) {
    const damaged = profile.tokenFiles?.(process.env)?.damaged() ?? []
    const why = damaged.length > 0 ? `; damaged beyond repair: ${damaged.join(', ')}` : ''
    throw new Error(`no slot holds a token with the label '${label}'${why}`)
  }
  if (others.length > 0) {
    throw new RefusedError(`${found.length} slots hold a token with the label '${label}'`)
  }
  const { token } = only
  const library = identityOfLibrary(graphene)
  return {
    ...only,
    identity: {
      profile: profile.name,
      libraryDescription: library.description,
      libraryManufacturer: library.manufacturer,
      libraryVersion: version(graphene.libraryVersion),
      cryptokiVersion: version(graphene.cryptokiVersion),
      tokenLabel: label,
      tokenManufacturer: token.manufacturerID.trim(),
      tokenModel: token.model.trim(),
      serialNumber: token.serialNumber.trim(),
      firmwareVersion: version(token.firmwareVersion),
      hardwareVersion: version(token.hardwareVersion),
    },
  }
}

/**
 * Logs in as the user, on a session that stays open: login lasts as long as one session does.
 * A wrong PIN is never tried twice, and a locked one never.
 *
 * @throws RefusedError when the token does not take the PIN.
 */
export async function logIn(
  { pkcs11, profile }: LoadedModule,
  { slot, token }: FoundToken,
  readPin: () => string,
): Promise<void> {
  if ((token.flags & pkcs11js.CKF_USER_PIN_LOCKED) !== 0) {
    throw new RefusedError('the PIN of the token is locked')
  }
  // Whatever starts keyslot again and again must not lock the token.
  if ((token.flags & pkcs11js.CKF_USER_PIN_FINAL_TRY) !== 0) {
    throw new RefusedError(
      'one try is left before the PIN of the token is locked: log in once with another tool',
    )
  }
  let pin = readPin()
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        openAndLogIn(pkcs11, slot.handle, pin)
        return
      } catch (cause) {
        if (!(cause instanceof TokenError)) throw cause
        if (cause.value.fault === 'pin') {
          throw new RefusedError(`the token does not take the PIN: ${cause.value.name}`)
        }
        if (attempt >= profile.loginAttempts) throw cause
        await sleep(RETRY_FIRST_MS * 2 ** attempt * (0.5 + Math.random()))
      }
    }
  } finally {
    // The text itself cannot be overwritten; it can be let go.
    pin = ''
  }
}

/**
 * Reads the PIN, line end left out.
 *
 * @throws RefusedError when there is none, or others may read it.
 */
export function readPin(source: { readonly file?: string; readonly fd?: number }): string {
  const bytes = Buffer.alloc(PIN_BYTES_MAX)
  try {
    const length =
      source.file === undefined ? readPinFd(source.fd, bytes) : readPinFile(source.file, bytes)
    const pin = bytes.toString('utf8', 0, length).replace(/\r?\n$/, '')
    if (pin === '') throw new RefusedError('the source of the PIN is empty')
    return pin
  } finally {
    bytes.fill(0)
  }
}

function bind(path: string, profile: Profile): Module {
  if (profile.loading === 'own symbols' && process.platform === 'linux') {
    const { RTLD_NOW, RTLD_DEEPBIND } = constants.dlopen
    try {
      // The binding opens the module without RTLD_DEEPBIND, and its OpenSSL calls would end in
      // Node's own. A library that is in the process already keeps its bindings.
      process.dlopen({ exports: {} }, path, RTLD_NOW | (RTLD_DEEPBIND ?? 0) | RTLD_NODELETE)
    } catch {
      // "Module did not self-register": it is no addon, but it is loaded. If it is not, the
      // binding says why.
    }
  }
  try {
    return Module.load(path)
  } catch (cause) {
    throw new RefusedError(`the PKCS#11 module cannot be loaded: ${text(cause)}`, { cause })
  }
}

function initialisation({ libraryParameters }: HsmSettings) {
  const flags = pkcs11js.CKF_OS_LOCKING_OK
  // The binding cuts off the last character.
  return libraryParameters === undefined
    ? { flags }
    : { flags, libraryParameters: `${libraryParameters} ` }
}

function identityOfLibrary(graphene: Module) {
  return {
    manufacturer: graphene.manufacturerID.trim(),
    description: graphene.libraryDescription.trim(),
  }
}

function tokenIn(slot: Slot): Token | undefined {
  try {
    return slot.getToken()
  } catch {
    // One slot's token that is not recognised says nothing of the others.
    return undefined
  }
}

function openAndLogIn(pkcs11: PKCS11, slotId: Buffer, pin: string): void {
  const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION
  const session = asked('C_OpenSession', () => pkcs11.C_OpenSession(slotId, flags))
  try {
    asked('C_Login', () => pkcs11.C_Login(session, pkcs11js.CKU_USER, pin))
  } catch (cause) {
    pkcs11.C_CloseSession(session)
    throw cause
  }
}

function readPinFile(path: string, into: Buffer): number {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (cause) {
    throw new RefusedError(`the PIN file ${path} cannot be read: ${text(cause)}`)
  }
  try {
    const status = fstatSync(fd)
    const mode = (status.mode & 0o7777).toString(8).padStart(4, '0')
    if (!status.isFile()) throw new RefusedError(`the PIN file ${path} is not a regular file`)
    if (mode !== '0400' && mode !== '0600') {
      throw new RefusedError(`the PIN file ${path} has mode ${mode}; it must be 0400 or 0600`)
    }
    return readSync(fd, into)
  } finally {
    closeSync(fd)
  }
}

function readPinFd(fd: number | undefined, into: Buffer): number {
  if (fd === undefined) throw new RefusedError('neither a PIN file nor a descriptor is set')
  // A file is read from its beginning, whatever an earlier start has read.
  if (fstatSync(fd).isFile()) return readSync(fd, into, 0, into.length, 0)
  let length = 0
  for (;;) {
    const bytes = readSync(fd, into, length, into.length - length, null)
    length += bytes
    if (bytes === 0 || length === into.length) return length
  }
}

function version({ major, minor }: { major: number; minor: number }): string {
  return `${major}.${minor}`
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
