/** Errors of imported key material. */

import type { PlainMessage } from '../../../../src/contract/wire.ts'
import type { Saved, Step } from '../scenario.ts'
import { enabledKey, withMaterial } from './requests.ts'
import { asked, type Row, row, rows } from './rows.ts'

const DAY_MS = 86_400_000
const ON_AWS_KEY = { keyId: enabledKey('symmetric') }
const OWN = { keyId: '$own.keyMetadata.keyId' }
const own: Step = { call: 'CreateKey', request: { origin: 'EXTERNAL' }, save: 'own' }
/** A wrapping key, and material under it. */
const wrapped = asked('GetParametersForImport', OWN, 'asked')
const importing = (more: Readonly<Record<string, unknown>> = {}): Step =>
  asked('ImportKeyMaterial', {
    ...OWN,
    importToken: '$asked.importToken',
    encryptedKeyMaterial: (saved: Saved) =>
      withMaterial(saved.get('asked') as PlainMessage).encryptedKeyMaterial,
    ...more,
  })
const tooShort = (saved: Saved) =>
  withMaterial(saved.get('asked') as PlainMessage, Buffer.alloc(16)).encryptedKeyMaterial

/** The rows. */
export const IMPORT_ROWS: readonly Row[] = [
  ...rows('UnsupportedOperationException', {
    GetParametersForImport: ON_AWS_KEY,
    ImportKeyMaterial: ON_AWS_KEY,
    DeleteImportedKeyMaterial: ON_AWS_KEY,
  }),
  row('IncorrectKeyMaterialException', own, wrapped, importing({ encryptedKeyMaterial: tooShort })),
  row(
    'InvalidCiphertextException',
    own,
    wrapped,
    importing({ encryptedKeyMaterial: Buffer.alloc(256, 1) }),
  ),
  row(
    'InvalidImportTokenException',
    own,
    importing({
      importToken: Buffer.alloc(49, 1),
      encryptedKeyMaterial: Buffer.alloc(256, 1),
    }),
  ),
  row('ExpiredImportTokenException', own, wrapped, { ...importing(), laterMs: DAY_MS }),
]
