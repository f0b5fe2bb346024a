/** Sets the PIN of a new NSS database: the security officer's is empty until then. */

import { text } from 'node:stream/consumers'
import pkcs11js from 'pkcs11js'

const { modulePath, libraryParameters, tokenLabel, pin } = JSON.parse(await text(process.stdin))
const pkcs11 = new pkcs11js.PKCS11()
pkcs11.load(modulePath)
// The binding cuts off the last character.
const parameters = `${libraryParameters} `
pkcs11.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK, libraryParameters: parameters })
const slot = pkcs11
  .C_GetSlotList(true)
  .find((one) => pkcs11.C_GetTokenInfo(one).label.startsWith(tokenLabel))
if (slot === undefined) throw new Error(`NSS has no slot with the token '${tokenLabel}'`)
const session = pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
pkcs11.C_Login(session, pkcs11js.CKU_SO, '')
pkcs11.C_InitPIN(session, pin)
pkcs11.C_Finalize()
