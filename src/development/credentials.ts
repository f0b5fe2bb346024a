/** The file of credentials that a first start in development mode writes, in AWS's form. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from './whole-file.ts'

/** An access key. */
export interface DevelopmentCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * The id of the access key in `<home>/credentials`, profile `default`; `undefined` if there is none.
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export function accessKeyIn(home: string): string | undefined {
  const path = join(home, 'credentials')
  if (!existsSync(path)) return undefined
  return /^aws_access_key_id *= *(\w+)/m.exec(readFileSync(path, 'utf8'))?.[1]
}

/** Writes the file, readable for its owner alone. */
export function writeCredentials(home: string, key: DevelopmentCredentials): void {
  const lines = [
    '[default]',
    `aws_access_key_id = ${key.accessKeyId}`,
    `aws_secret_access_key = ${key.secretAccessKey}`,
    '',
  ]
  writeWhole(join(home, 'credentials'), lines.join('\n'), 0o600)
}
