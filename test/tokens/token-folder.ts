/** A temporary folder with the PINs of a token in it. */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for one token. */
export interface TokenFolder {
  readonly path: string
  readonly pin: string
  readonly pinFile: string
  readonly soPin: string
  readonly soPinFile: string
  remove(): void
}

/** Makes a folder and two PINs of eight characters, which is the most that opencryptoki takes. */
export function makeTokenFolder(name: string): TokenFolder {
  const path = mkdtempSync(join(tmpdir(), `keyslot-${name}-`))
  const [pin, soPin] = [randomBytes(4).toString('hex'), randomBytes(4).toString('hex')]
  const [pinFile, soPinFile] = [join(path, 'pin'), join(path, 'so-pin')]
  writeFileSync(pinFile, pin, { mode: 0o400 })
  writeFileSync(soPinFile, soPin, { mode: 0o400 })
  const remove = () => rmSync(path, { recursive: true, force: true })
  return { path, pin, pinFile, soPin, soPinFile, remove }
}
