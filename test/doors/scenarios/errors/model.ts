/**
 * Which errors AWS models for which operation, as its SDK for JavaScript documents them: one
 * `@throws` for each, beside the class of the operation, in the declarations of the package. It is
 * a dependency of the tests in a fixed version, so that the model is there wherever they run.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as sdk from '@aws-sdk/client-kms'

const COMMANDS = join(
  import.meta.dirname,
  '../../../../node_modules/@aws-sdk/client-kms/dist-types/commands',
)
/** The class above all errors, which the SDK throws for what is in no model. */
const ANY = 'KMSServiceException'

/** The errors of each operation, by name. */
export function modelledErrors(): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(COMMANDS).filter((file) => file.endsWith('Command.d.ts'))
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(COMMANDS, file), 'utf8')
      const names = [...text.matchAll(/@throws \{@link (\w+)\}/g)].map(([, name = '']) => name)
      return [file.replace('Command.d.ts', ''), names.filter((name) => name !== ANY)]
    }),
  )
}

/** Whose fault an error is, by the SDK's own class; `undefined` for an error that it has not. */
export function faultOf(name: string): 'client' | 'server' | undefined {
  const made: unknown = Reflect.get(sdk, name)
  if (typeof made !== 'function') return undefined
  const error: unknown = Reflect.construct(made, [{ message: '', $metadata: {} }])
  return Reflect.get(error as object, '$fault')
}
