/**
 * SoftHSM's files: what it leaves to us for its tokens to survive a crash.
 *
 * It rewrites `token.object` in place at every login, so a kill in that moment destroys the
 * token; it syncs nothing to the disk; and with a full disk C_GenerateKey answers CKR_OK for a
 * key that is gone after a restart. So a copy of a good `token.object` is kept and put back, and
 * the file of every object made is read to its end, and synced, before the object is believed.
 *
 * An object's file is a generation (8 bytes), then attributes: type and kind (8 bytes each), then
 * a boolean (1 byte), a number (8 bytes), or a length or count (8 bytes) and what it counts. All
 * numbers are big-endian.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TokenChange, TokenFiles } from './profile.ts'

const TOKEN_OBJECT = 'token.object'
/** SoftHSM takes only names that end in `.object` for objects. */
const COPY = 'token.object.keyslot-copy'
const COPY_UNDER_WAY = 'token.object.keyslot-copy-new'
const REPAIR_UNDER_WAY = 'token.object.keyslot-repair'

/** Kinds of attributes in a file. */
const KIND = { boolean: 1, number: 2, bytes: 3, attributes: 4, mechanisms: 5 } as const
const NUMBER_BYTES = 8
const LABEL_OF_TOKEN = 0x80005349
const SERIAL_OF_TOKEN = 0x8000534a
const CLASS = 0x0
const KEY_TYPE = 0x100
const PRIVATE_KEY = 3n
const RSA = 0n
/** What the file of a whole key holds in the clear, by attribute number. */
const KEY_FLAGS: readonly (readonly [type: number, value: boolean])[] = [
  // TOKEN, PRIVATE, SENSITIVE.
  [0x1, true],
  [0x2, true],
  [0x103, true],
  // EXTRACTABLE.
  [0x162, false],
  // MODIFIABLE, COPYABLE.
  [0x170, false],
  [0x171, false],
]
/** The least length of what it holds encrypted, or as a list, and of what says where it is from. */
const KEY_LENGTHS: readonly (readonly [type: number, bytes: number])[] = [
  // LABEL, ID.
  [0x3, 32],
  [0x102, 16 + 16],
  // LOCAL, NEVER_EXTRACTABLE, ALWAYS_SENSITIVE.
  [0x163, 1],
  [0x164, 1],
  [0x165, 1],
  // ALLOWED_MECHANISMS has the highest number and so comes last: no cut spares it.
  [0x40000600, NUMBER_BYTES],
]
/** VALUE of a secret key; of a private key too, but without the zeros that it begins with. */
const SECRET_LENGTHS: typeof KEY_LENGTHS = [[0x11, 16 + 32]]
const PRIVATE_LENGTHS: typeof KEY_LENGTHS = [[0x11, 16 + 16]]
/** PRIVATE_EXPONENT of an RSA private key. */
const RSA_LENGTHS: typeof KEY_LENGTHS = [[0x123, 16 + 256]]
/** How long another process may be in the middle of its login. */
const LOGIN_MS = 200

/** The files of the tokens that SoftHSM's configuration names; nothing where there is none. */
export function softhsmFiles(environment: NodeJS.ProcessEnv): TokenFiles | undefined {
  const directory = tokenDirectory(environment)
  if (directory === undefined) return undefined
  return {
    repair: () => tokens(directory).flatMap((token) => repair(token) ?? []),
    damaged: () => tokens(directory).filter((token) => !isWholeToken(join(token, TOKEN_OBJECT))),
    keepCopy: (serialNumber) => keepCopy(tokenOf(directory, serialNumber)),
    beginChange: (serialNumber) => beginChange(tokenOf(directory, serialNumber)),
  }
}

/**
 * Reads an object's file to its end.
 *
 * @returns each attribute's value by its type; `undefined` when the file ends too early, goes on
 *   too long or holds what no object holds.
 */
export function parseObject(file: Buffer): ReadonlyMap<number, Buffer> | undefined {
  if (file.length < NUMBER_BYTES) return undefined
  const attributes = new Map<number, Buffer>()
  let at = NUMBER_BYTES
  while (at < file.length) {
    if (file.length - at < 2 * NUMBER_BYTES) return undefined
    const type = Number(file.readBigUInt64BE(at))
    const kind = Number(file.readBigUInt64BE(at + NUMBER_BYTES))
    const value = valueAt(file, at + 2 * NUMBER_BYTES, kind)
    if (value === undefined || value.end > file.length) return undefined
    attributes.set(type, file.subarray(value.start, value.end))
    at = value.end
  }
  return attributes
}

/** Whether this is the file of a key with all that makes it one. */
export function isWholeKey(file: Buffer): boolean {
  const attributes = parseObject(file)
  const numberOf = (type: number) => attributes?.get(type)?.readBigUInt64BE()
  const ofPrivate = numberOf(KEY_TYPE) === RSA ? RSA_LENGTHS : PRIVATE_LENGTHS
  const ofKind = numberOf(CLASS) === PRIVATE_KEY ? ofPrivate : SECRET_LENGTHS
  return (
    KEY_FLAGS.every(([type, value]) => isFlag(attributes?.get(type), value)) &&
    [...KEY_LENGTHS, ...ofKind].every(
      ([type, bytes]) => (attributes?.get(type)?.length ?? 0) >= bytes,
    )
  )
}

/** SoftHSM writes `true` as 255. */
function isFlag(bytes: Buffer | undefined, value: boolean): boolean {
  return bytes?.length === 1 && (bytes[0] !== 0) === value
}

function valueAt(
  file: Buffer,
  at: number,
  kind: number,
): { readonly start: number; readonly end: number } | undefined {
  if (kind === KIND.boolean) return { start: at, end: at + 1 }
  if (kind === KIND.number) return { start: at, end: at + NUMBER_BYTES }
  const size = { [KIND.bytes]: 1, [KIND.attributes]: 1, [KIND.mechanisms]: NUMBER_BYTES }[kind]
  if (size === undefined || file.length - at < NUMBER_BYTES) return undefined
  const start = at + NUMBER_BYTES
  return { start, end: start + size * Number(file.readBigUInt64BE(at)) }
}

function tokenDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  const { SOFTHSM2_CONF, HOME } = environment
  const places = [
    SOFTHSM2_CONF,
    HOME && join(HOME, '.config/softhsm2/softhsm2.conf'),
    '/etc/softhsm/softhsm2.conf',
    '/etc/softhsm2.conf',
  ]
  const configuration = places.find((path) => path !== undefined && existsSync(path))
  if (configuration === undefined) return undefined
  const line = /^\s*directories\.tokendir\s*=\s*(.*?)\s*$/m
  return line.exec(readFileSync(configuration, 'utf8'))?.[1]
}

function tokens(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
}

/** A token's directory is a UUID, of which the serial number is the last 16 digits. */
function tokenOf(directory: string, serialNumber: string): string {
  const found = tokens(directory).find((path) => path.replaceAll('-', '').endsWith(serialNumber))
  if (found === undefined) throw new Error(`${directory} holds no token ${serialNumber}`)
  return found
}

function isWholeToken(path: string): boolean {
  const attributes = existsSync(path) ? parseObject(readFileSync(path)) : undefined
  return [LABEL_OF_TOKEN, SERIAL_OF_TOKEN].every((type) => attributes?.has(type))
}

/** Whether `token.object` has every attribute that its copy has: a cut may fall between two. */
function hasAllOf(path: string, copy: string): boolean {
  if (!isWholeToken(path)) return false
  const live = parseObject(readFileSync(path))
  const kept = parseObject(readFileSync(copy))
  return [...(kept?.keys() ?? [])].every((type) => live?.has(type))
}

function repair(token: string): string | undefined {
  const live = join(token, TOKEN_OBJECT)
  const copy = join(token, COPY)
  if (!isWholeToken(copy) || hasAllOf(live, copy)) return undefined
  // For a moment it looks damaged while another process logs in.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOGIN_MS)
  if (hasAllOf(live, copy)) return undefined
  writeDurably(token, REPAIR_UNDER_WAY, TOKEN_OBJECT, readFileSync(copy))
  return `${live} was damaged, as by a kill during login, and has been restored from its copy`
}

function keepCopy(token: string): void {
  const live = join(token, TOKEN_OBJECT)
  const copy = join(token, COPY)
  if (!isWholeToken(live)) throw new Error(`${live} is damaged although the token works`)
  const content = readFileSync(live)
  if (existsSync(copy) && readFileSync(copy).equals(content)) return
  writeDurably(token, COPY_UNDER_WAY, COPY, content)
}

function beginChange(token: string): TokenChange {
  const before = new Set(objects(token))
  return {
    settle(expected) {
      const after = new Set(objects(token))
      const made = [...after].filter((name) => !before.has(name))
      const gone = [...before].filter((name) => !after.has(name))
      if (expected === 'object made') {
        const [only, ...others] = made
        if (only === undefined || others.length > 0) {
          throw new Error(`${token} has ${made.length} new objects instead of one`)
        }
        syncWholeKey(join(token, only))
      } else if (gone.length !== 1) {
        throw new Error(`${token} has lost ${gone.length} objects instead of one`)
      }
      syncPath(token)
    },
  }
}

function objects(token: string): readonly string[] {
  return readdirSync(token).filter((name) => name.endsWith('.object') && name !== TOKEN_OBJECT)
}

/** Syncs an object's file and reads it to its end. */
function syncWholeKey(path: string): void {
  syncPath(path)
  if (!isWholeKey(readFileSync(path))) {
    throw new Error(`${path} is not complete: is the disk full?`)
  }
}

function writeDurably(token: string, underWay: string, name: string, content: Buffer): void {
  const temporary = join(token, underWay)
  rmSync(temporary, { force: true })
  const fd = openSync(temporary, 'wx', 0o600)
  try {
    let at = 0
    while (at < content.length) at += writeSync(fd, content, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, join(token, name))
  syncPath(token)
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
