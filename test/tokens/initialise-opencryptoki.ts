/** Initialises opencryptoki's soft token, which wants every PIN that is not its user's changed. */

import { text } from 'node:stream/consumers'
import pkcs11js from 'pkcs11js'

/** The documented PIN of every token that has not been initialised. */
const FACTORY_SO_PIN = '87654321'
const LABEL_BYTES = 32

const { modulePath, tokenLabel, pin, soPin } = JSON.parse(await text(process.stdin))
const pkcs11 = new pkcs11js.PKCS11()
pkcs11.load(modulePath)
pkcs11.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK })
const slot = pkcs11
  .C_GetSlotList(true)
  .find((one) => pkcs11.C_GetTokenInfo(one).model.startsWith('IBM SoftTok'))
if (slot === undefined) throw new Error('opencryptoki has no soft token')
pkcs11.C_InitToken(slot, FACTORY_SO_PIN, tokenLabel.padEnd(LABEL_BYTES))
const session = pkcs11.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
pkcs11.C_Login(session, pkcs11js.CKU_SO, FACTORY_SO_PIN)
pkcs11.C_SetPIN(session, FACTORY_SO_PIN, soPin)
pkcs11.C_InitPIN(session, soPin)
pkcs11.C_Logout(session)
pkcs11.C_Login(session, pkcs11js.CKU_USER, soPin)
pkcs11.C_SetPIN(session, soPin, pin)
pkcs11.C_Finalize()
