/** The grants. A call is decided from copies in memory, whatever number of grants its key has. */

import type { Kysely } from 'kysely'
import { fail } from '../../model/failures.ts'
import type { Grant } from '../../model/grant.ts'
import type { HotCopies } from '../copies/hot-copies.ts'
import { keyIsThere } from '../keys.ts'
import type { Tables } from '../rows.ts'
import { grantOf, grantRow, pairName } from './rows.ts'
import type { GrantStore } from './store.ts'

/** Stands for every pair, in the names of copies. */
const ANY_PAIR = '*'

/** The grants of a database. */
export function grantStore(db: Kysely<Tables>, copies: HotCopies): GrantStore {
  return { ...reads(db, copies), ...changes(db, copies) }
}

function reads(
  db: Kysely<Tables>,
  copies: HotCopies,
): Pick<GrantStore, 'find' | 'deciding' | 'list' | 'listRetirable'> {
  return {
    async find(grantId) {
      const row = await ofId(db, grantId).executeTakeFirst()
      return row && grantOf(row)
    },

    async deciding({ keyId, granteeArns, context }) {
      copies.refresh()
      const deciding: Grant[] = []
      for (const arn of granteeArns) {
        for (const pair of pairsOf(context)) {
          const name = nameOfCopy(keyId, arn, pair)
          const found = copies.grants.find(name) ?? (await read(db, copies, { keyId, arn, pair }))
          deciding.push(...found)
        }
      }
      return deciding
    },

    async list({ keyId, grantId, granteeArn }, { after = '', limit }) {
      const rows = await db
        .selectFrom('grants')
        .selectAll()
        .where('key_id', '=', keyId)
        .where('grant_id', '>', after)
        .$if(grantId !== undefined, (all) => all.where('grant_id', '=', grantId ?? ''))
        .$if(granteeArn !== undefined, (all) => all.where('grantee_arn', '=', granteeArn ?? ''))
        .orderBy('grant_id')
        .limit(limit)
        .execute()
      return rows.map(grantOf)
    },

    async listRetirable({ arn, principalId, region }, { after = '', limit }) {
      const rows = await db
        .selectFrom('grants')
        .innerJoin('keys', 'keys.key_id', 'grants.key_id')
        .selectAll('grants')
        .where('retiring_arn', '=', arn)
        .where('retiring_id', principalId === undefined ? 'is' : '=', principalId ?? null)
        .where('keys.region', '=', region)
        .where('grant_id', '>', after)
        .orderBy('grant_id')
        .limit(limit)
        .execute()
      return rows.map(grantOf)
    },
  }
}

function changes(db: Kysely<Tables>, copies: HotCopies): Pick<GrantStore, 'insert' | 'remove'> {
  const drop = (row: { key_id: string; grantee_arn: string; constraint_pair: string }) => {
    for (const pair of [row.constraint_pair, ANY_PAIR]) {
      copies.grants.drop(nameOfCopy(row.key_id, row.grantee_arn, pair))
    }
  }
  return {
    async insert(grant, most) {
      const row = grantRow(grant)
      const outcome = await db.transaction().execute(async (transaction) => {
        if (!(await keyIsThere(transaction, grant.keyId))) {
          fail('NotFoundException', `Key '${grant.keyId}' does not exist`)
        }
        if (row.named_as !== null) {
          const same = await transaction
            .selectFrom('grants')
            .selectAll()
            .where('key_id', '=', row.key_id)
            .where('named_as', '=', row.named_as)
            .executeTakeFirst()
          if (same !== undefined) return grantOf(same)
        }
        if ((await countOf(transaction, grant.keyId)) >= most) return 'full'
        await transaction.insertInto('grants').values(row).execute()
        return 'inserted'
      })
      if (outcome !== 'inserted') return outcome
      drop(row)
      return grant
    },

    async remove(keyId, grantId) {
      const removed = await db
        .deleteFrom('grants')
        .where('key_id', '=', keyId)
        .where('grant_id', '=', grantId)
        .returning(['key_id', 'grantee_arn', 'constraint_pair'])
        .executeTakeFirst()
      if (removed === undefined) return false
      drop(removed)
      return true
    },
  }
}

/** Reads the grants that a pair leads to, one of each kind: an app may make thousands alike. */
async function read(
  db: Kysely<Tables>,
  copies: HotCopies,
  { keyId, arn, pair }: { readonly keyId: string; readonly arn: string; readonly pair: string },
): Promise<readonly Grant[]> {
  const { epoch } = copies.grants
  const any = pair === ANY_PAIR
  const rows = await db
    .selectFrom('grants')
    .selectAll()
    .where('grant_id', 'in', (kinds) =>
      kinds
        .selectFrom('grants')
        .select(({ fn }) => fn.min('grant_id').as('grant_id'))
        .where('key_id', '=', keyId)
        .where('grantee_arn', '=', arn)
        .$if(!any, (all) => all.where('constraint_pair', '=', pair))
        .groupBy(['grantee_id', 'operations'])
        // Without an encryption context the constraints decide nothing.
        .$if(!any, (all) => all.groupBy('constraints')),
    )
    .execute()
  const grants: readonly Grant[] = Object.freeze(rows.map(grantOf))
  copies.grants.put(nameOfCopy(keyId, arn, pair), grants, epoch)
  return grants
}

function pairsOf(context: ReadonlyMap<string, string> | undefined): readonly string[] {
  if (context === undefined) return [ANY_PAIR]
  if (context.size === 0) return ['']
  return ['', ...new Set([...context].map(([key, value]) => pairName(key, value)))]
}

function nameOfCopy(keyId: string, granteeArn: string, pair: string): string {
  return `${keyId} ${granteeArn} ${pair}`
}

function ofId(db: Kysely<Tables>, grantId: string) {
  return db.selectFrom('grants').selectAll().where('grant_id', '=', grantId)
}

async function countOf(db: Kysely<Tables>, keyId: string): Promise<number> {
  const { count } = await db
    .selectFrom('grants')
    .where('key_id', '=', keyId)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
