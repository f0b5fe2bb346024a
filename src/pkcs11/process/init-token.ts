/**
 * Makes a development token: a process of its own, since doors never load the module. Settings
 * come on standard input, the result leaves on standard output, both as JSON; PINs are read from
 * their files.
 */

import { text } from 'node:stream/consumers'
import { SessionFlag, UserType } from 'graphene-pk11'
import type { InitTokenResult, InitTokenSettings } from '../init-token.ts'
import { findToken, type LoadedModule, loadModule, RefusedError, readPin } from '../token/module.ts'
import { asked } from '../token/return-values.ts'

/** CKF_TOKEN_INITIALIZED, PKCS#11 v2.40 section 3.2. */
const TOKEN_INITIALIZED = 0x400
const LABEL_BYTES = 32

const settings = JSON.parse(await text(process.stdin)) as InitTokenSettings
let result: InitTokenResult | { readonly failure: string }
try {
  result = initToken(settings)
} catch (cause) {
  result = { failure: cause instanceof Error ? cause.message : String(cause) }
}
process.stdout.write(JSON.stringify(result))

function initToken({ tokenLabel, pinFile, soPinFile, ...rest }: InitTokenSettings) {
  const module = loadModule({ ...rest, tokenLabel }, (what) => process.stderr.write(`${what}\n`))
  try {
    const serial = serialOf(module, tokenLabel)
    if (serial !== undefined) return { tokenLabel, serial, made: false }
    // A token that cannot be read must not be answered with an empty one in its place.
    const damaged = module.profile.tokenFiles?.(process.env)?.damaged() ?? []
    if (damaged.length > 0) throw new RefusedError(`damaged tokens: ${damaged.join(', ')}`)
    makeToken(module, { tokenLabel, pinFile, soPinFile })
    const made = serialOf(module, tokenLabel)
    if (made === undefined) throw new Error('the token is not there after it was made')
    module.profile.tokenFiles?.(process.env)?.keepCopy(made)
    return { tokenLabel, serial: made, made: true }
  } finally {
    module.graphene.finalize()
  }
}

function makeToken(
  { graphene, pkcs11 }: LoadedModule,
  {
    tokenLabel,
    pinFile,
    soPinFile,
  }: Pick<InitTokenSettings, 'tokenLabel' | 'pinFile' | 'soPinFile'>,
): void {
  const slots = graphene.getSlots(true)
  let free: ReturnType<typeof slots.items> | undefined
  for (let at = 0; at < slots.length && free === undefined; at++) {
    const slot = slots.items(at)
    if ((slot.getToken().flags & TOKEN_INITIALIZED) === 0) free = slot
  }
  if (free === undefined) throw new RefusedError('no slot holds a token that is free')
  const slot = free
  const soPin = readPin({ file: soPinFile })
  // Not through graphene, which fails on an answer that the binding does not give. And the binding
  // does not pad the label: the module would read on behind it.
  const label = tokenLabel.padEnd(LABEL_BYTES)
  asked('C_InitToken', () => pkcs11.C_InitToken(slot.handle, soPin, label))
  const session = slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
  try {
    asked('C_Login', () => session.login(soPin, UserType.SO))
    asked('C_InitPIN', () => session.initPin(readPin({ file: pinFile })))
    session.logout()
  } finally {
    session.close()
  }
}

function serialOf(module: LoadedModule, tokenLabel: string): string | undefined {
  try {
    return findToken(module, tokenLabel).identity.serialNumber
  } catch (cause) {
    if (cause instanceof RefusedError) throw cause
    return undefined
  }
}
