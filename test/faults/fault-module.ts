/**
 * The fault module from the tests' side: building it, putting it around a token, and telling it
 * through its control file what to do at which call.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HsmSettings } from '../../src/pkcs11/settings.ts'
import { makeToken } from '../pkcs11/token.ts'

/** The functions of the module that can be made to fail. */
export const FUNCTIONS = [
  'C_Initialize',
  'C_Finalize',
  'C_GetInfo',
  'C_GetSlotList',
  'C_GetSlotInfo',
  'C_GetTokenInfo',
  'C_GetMechanismList',
  'C_OpenSession',
  'C_CloseSession',
  'C_CloseAllSessions',
  'C_Login',
  'C_CreateObject',
  'C_DestroyObject',
  'C_GetAttributeValue',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_EncryptInit',
  'C_Encrypt',
  'C_DecryptInit',
  'C_Decrypt',
  'C_SignInit',
  'C_Sign',
  'C_GenerateKey',
  'C_GenerateKeyPair',
  'C_UnwrapKey',
  'C_DeriveKey',
  'C_GenerateRandom',
] as const

/** A function of the module. */
export type FunctionName = (typeof FUNCTIONS)[number]

/** The codes of an HSM that fails, by PKCS#11 v2.40. */
export const CODES = {
  CKR_HOST_MEMORY: 0x02,
  CKR_GENERAL_ERROR: 0x05,
  CKR_DEVICE_ERROR: 0x30,
  CKR_DEVICE_REMOVED: 0x32,
  CKR_SESSION_CLOSED: 0xb0,
  CKR_SESSION_HANDLE_INVALID: 0xb3,
  CKR_TOKEN_NOT_PRESENT: 0xe0,
  CKR_USER_NOT_LOGGED_IN: 0x101,
} as const

/** The name of such a code. */
export type CodeName = keyof typeof CODES

/** What a call does instead of what it should. */
export type Fault =
  /** Answers this, without the token or after it has done its work. */
  | { readonly does: 'return'; readonly code: CodeName; readonly afterwards?: boolean }
  /** Never comes back. */
  | { readonly does: 'hang' }
  /** Kills its process: at the call, some microseconds into it, or at its end. */
  | { readonly does: 'kill'; readonly when: 'before' | 'afterwards' | { readonly us: number } }
  /** Flips a bit of the output, counted from its start and round again. */
  | { readonly does: 'flip'; readonly bit: number }
  /** Answers that there is nothing. */
  | { readonly does: 'hide' }

/** Which calls it is about: from the n-th on (the first is 1), so many times. */
export interface Occurrence {
  readonly from?: number
  readonly times?: number
}

/** The faults of one token: all processes that load the module with this control file have them. */
export interface Faults {
  /** Makes a function fail; replaces what it was told before. */
  arm(name: FunctionName, fault: Fault, occurrence?: Occurrence): void
  /** Makes a function take longer. */
  delay(name: FunctionName, us: number): void
  /** Lets everything work again; delays stay. */
  clear(): void
  /** How often a function has been called. */
  calls(name: FunctionName): number
  /** How often it has failed since it was armed. */
  hits(name: FunctionName): number
}

/** A token behind the fault module. */
export interface FaultyToken {
  readonly settings: HsmSettings & { readonly pinFile: string }
  readonly directory: string
  readonly faults: Faults
  remove(): void
}

/** Why there can be no fault module here; `undefined` where there can. */
export function whyNoFaultModule(): string | undefined {
  if (process.platform !== 'linux') return 'the fault module is built for Linux only'
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'there is no C compiler to build the fault module with'
  }
}

/** Makes a token, as `makeToken` does, behind the fault module. */
export async function makeFaultyToken(): Promise<FaultyToken> {
  const { settings, directory, remove } = await makeToken()
  const control = join(directory, 'faults')
  const faults = openFaults(control)
  return {
    directory,
    faults,
    settings: behindFaults(settings, control),
    remove() {
      faults.close()
      remove()
    },
  }
}

/** Puts the fault module between a token's process and the module, with this control file. */
export function behindFaults<S extends HsmSettings>(settings: S, control: string): S {
  return {
    ...settings,
    modulePath: builtLibrary(join(import.meta.dirname, 'module/faults.c')),
    profile: 'softhsm',
    moduleEnvironment: {
      ...settings.moduleEnvironment,
      KEYSLOT_FAULTS_MODULE: settings.modulePath,
      KEYSLOT_FAULTS_CONTROL: control,
    },
  }
}

const FLAGS = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-pthread']

/** Builds a shared library once for each version of its source; answers its path. */
export function builtLibrary(source: string): string {
  const hash = createHash('sha256').update(readFileSync(source)).update(FLAGS.join())
  const directory = join(tmpdir(), `keyslot-fault-module-${process.getuid?.() ?? 0}`)
  const built = join(directory, `${hash.digest('hex').slice(0, 32)}.so`)
  if (existsSync(built)) return built
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const underWay = `${built}.${process.pid}`
  execFileSync('cc', [...FLAGS, '-o', underWay, source, '-ldl'], { stdio: 'inherit' })
  renameSync(underWay, built)
  return built
}

/** A row of the control file: a name, then eight numbers of eight bytes. */
const NAME_BYTES = 32
const ROW_BYTES = NAME_BYTES + 8 * 8
const FIELDS = ['calls', 'delay', 'action', 'value', 'skip', 'times', 'seen', 'hits'] as const

const ACTION = {
  nothing: 0n,
  returnInstead: 1n,
  returnAfterwards: 2n,
  hang: 3n,
  killBefore: 4n,
  killDuring: 5n,
  killAfterwards: 6n,
  flipBit: 7n,
  hide: 8n,
} as const

/** Makes a control file under which everything works. */
export function openFaults(path: string): Faults & { close(): void } {
  const rows = Buffer.alloc(FUNCTIONS.length * ROW_BYTES)
  for (const [at, name] of FUNCTIONS.entries()) rows.write(name, at * ROW_BYTES, 'latin1')
  writeFileSync(path, rows)
  const fd = openSync(path, 'r+')
  const number = Buffer.alloc(8)
  const placeOf = (name: FunctionName, field: (typeof FIELDS)[number]) =>
    FUNCTIONS.indexOf(name) * ROW_BYTES + NAME_BYTES + 8 * FIELDS.indexOf(field)
  const write = (name: FunctionName, field: (typeof FIELDS)[number], value: bigint) => {
    number.writeBigUInt64LE(value)
    writeSync(fd, number, 0, number.length, placeOf(name, field))
  }
  const read = (name: FunctionName, field: (typeof FIELDS)[number]) => {
    readSync(fd, number, 0, number.length, placeOf(name, field))
    return Number(number.readBigUInt64LE())
  }
  return {
    arm(name, fault, { from = 1, times = Number.POSITIVE_INFINITY } = {}) {
      const { action, value } = encoded(fault)
      write(name, 'action', ACTION.nothing)
      write(name, 'value', value)
      write(name, 'skip', BigInt(from - 1))
      write(name, 'times', Number.isFinite(times) ? BigInt(times) : 2n ** 63n)
      write(name, 'seen', 0n)
      write(name, 'hits', 0n)
      write(name, 'action', action)
    },
    delay: (name, us) => write(name, 'delay', BigInt(us)),
    clear() {
      for (const name of FUNCTIONS) write(name, 'action', ACTION.nothing)
    },
    calls: (name) => read(name, 'calls'),
    hits: (name) => read(name, 'hits'),
    close: () => closeSync(fd),
  }
}

function encoded(fault: Fault): { readonly action: bigint; readonly value: bigint } {
  switch (fault.does) {
    case 'return':
      return {
        action: fault.afterwards ? ACTION.returnAfterwards : ACTION.returnInstead,
        value: BigInt(CODES[fault.code]),
      }
    case 'hang':
      return { action: ACTION.hang, value: 0n }
    case 'kill':
      if (fault.when === 'before') return { action: ACTION.killBefore, value: 0n }
      if (fault.when === 'afterwards') return { action: ACTION.killAfterwards, value: 0n }
      return { action: ACTION.killDuring, value: BigInt(fault.when.us) }
    case 'flip':
      return { action: ACTION.flipBit, value: BigInt(fault.bit) }
    case 'hide':
      return { action: ACTION.hide, value: 0n }
  }
}
