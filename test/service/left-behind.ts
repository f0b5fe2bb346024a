/** What a service that has ended leaves behind, looked at without it. */

import { join } from 'node:path'
import { type ReconcileReport, reconcile } from '../../src/lifecycle/reconcile.ts'
import { startHsm } from '../../src/pkcs11/client/supervisor.ts'
import { findSoftHsm, softhsmEnvironment } from '../../src/pkcs11/profiles/softhsm.ts'
import { openStore } from '../../src/store/database.ts'

/** What the report of a token and a store that match has. */
export const MATCHING = { unexplained: [], missing: [], returned: [], waiting: [] } as const

/** Reconciles the token and the store of a development service. */
export async function reconcileLeftBehind(home: string): Promise<ReconcileReport> {
  const store = await openStore({ path: join(home, 'keyslot.db') })
  const installation = await store.installation()
  const hsm = await startHsm(
    {
      modulePath: findSoftHsm() ?? '',
      tokenLabel: 'keyslot',
      pinFile: join(home, 'hsm/pin'),
      moduleEnvironment: softhsmEnvironment(join(home, 'hsm/softhsm2.conf')),
      canaryId: installation?.canaryId,
    },
    { log: () => {} },
  )
  try {
    return await reconcile({ store, objects: hsm.objects, clock: Date.now }, { patienceMs: 0 })
  } finally {
    await hsm.stop()
    await store.close()
  }
}
