/**
 * The grants. A call is decided from copies in memory, whatever number of grants its key has, and
 * whatever pairs its encryption context has: those are looked for among the pairs that a caller's
 * grants are bound to, and only where these are many in the database.
 */

import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { fail } from '../../model/failures.ts'
import type { Grant } from '../../model/grant.ts'
import type { BoundGrants, HotCopies } from '../copies/hot-copies.ts'
import { keyIsThere } from '../keys.ts'
import type { Tables } from '../rows.ts'
import { type GrantRow, grantOf, grantRow, pairName } from './rows.ts'
import type { GrantStore } from './store.ts'

/** Stands for every pair, in the names of copies. */
const ANY_PAIR = '*'
/** The pair of a grant that is bound to none. */
const NO_PAIR = ''
/** How many grants of a grantee are held together that are bound to pairs; each is 2 KB at most. */
const BOUND_MAX = 16
/** How long a pair may be to stand in the name of a copy as it is, in characters. */
const NAME_LENGTH_MAX = 64

/** Whose grants on what. */
interface Grantee {
  readonly keyId: string
  readonly arn: string
}

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
      let pairs: readonly string[] | undefined
      for (const arn of granteeArns) {
        const grantee = { keyId, arn }
        const pair = context === undefined ? ANY_PAIR : NO_PAIR
        const free = copies.grants.find(nameOfCopy(grantee, pair))
        deciding.push(...(free ?? (await readOne(db, copies, grantee, pair))))
        if (context === undefined || context.size === 0) continue
        const name = nameOfBound(grantee)
        const bound = copies.bound.find(name) ?? (await readBound(db, copies, grantee))
        if (bound !== 'many' && bound.size === 0) continue
        pairs ??= pairsOf(context)
        if (bound === 'many') deciding.push(...(await ofPairs(db, copies, grantee, pairs)))
        else for (const each of pairs) deciding.push(...(bound.get(each) ?? []))
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
    const grantee = { keyId: row.key_id, arn: row.grantee_arn }
    for (const pair of [row.constraint_pair, ANY_PAIR]) {
      copies.grants.drop(nameOfCopy(grantee, pair))
    }
    if (row.constraint_pair !== NO_PAIR) copies.bound.drop(nameOfBound(grantee))
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

/** Reads the grants that a pair leads to, or those of all. */
async function readOne(
  db: Kysely<Tables>,
  copies: HotCopies,
  grantee: Grantee,
  pair: string,
): Promise<readonly Grant[]> {
  const { epoch } = copies.grants
  const rows = await readKinds(db, grantee, pair === ANY_PAIR ? undefined : [pair])
  const grants: readonly Grant[] = Object.freeze(rows.map(grantOf))
  copies.grants.put(nameOfCopy(grantee, pair), grants, epoch)
  return grants
}

/** Reads all grants that are bound to a pair, unless they are many. */
async function readBound(
  db: Kysely<Tables>,
  copies: HotCopies,
  grantee: Grantee,
): Promise<BoundGrants> {
  const { epoch } = copies.bound
  const rows = await db
    .selectFrom('grants')
    .selectAll()
    .where('key_id', '=', grantee.keyId)
    .where('grantee_arn', '=', grantee.arn)
    .where('constraint_pair', '>', NO_PAIR)
    .limit(BOUND_MAX + 1)
    .execute()
  const bound = rows.length > BOUND_MAX ? 'many' : byPair(rows)
  copies.bound.put(nameOfBound(grantee), bound, epoch)
  return bound
}

/** The grants that are bound to one of some pairs: those in memory, and the others in one query. */
async function ofPairs(
  db: Kysely<Tables>,
  copies: HotCopies,
  grantee: Grantee,
  pairs: readonly string[],
): Promise<readonly Grant[]> {
  const { epoch } = copies.grants
  const found: Grant[] = []
  const unknown: string[] = []
  for (const pair of pairs) {
    const known = copies.grants.find(nameOfCopy(grantee, pair))
    if (known === undefined) unknown.push(pair)
    else found.push(...known)
  }
  if (unknown.length === 0) return found
  const read = byPair(await readKinds(db, grantee, unknown))
  for (const pair of unknown) {
    const grants = read.get(pair) ?? NO_GRANTS
    copies.grants.put(nameOfCopy(grantee, pair), grants, epoch)
    found.push(...grants)
  }
  return found
}

const NO_GRANTS: readonly Grant[] = Object.freeze([])

/** Reads the grants that some pairs lead to, one of each kind: an app may make thousands alike. */
function readKinds(
  db: Kysely<Tables>,
  { keyId, arn }: Grantee,
  pairs: readonly string[] | undefined,
): Promise<GrantRow[]> {
  // One parameter, so that there is one statement for any number of them.
  const among = sql<string>`(select value from json_each(${JSON.stringify(pairs)}))`
  return db
    .selectFrom('grants')
    .selectAll()
    .where('grant_id', 'in', (kinds) =>
      kinds
        .selectFrom('grants')
        .select(({ fn }) => fn.min('grant_id').as('grant_id'))
        .where('key_id', '=', keyId)
        .where('grantee_arn', '=', arn)
        .groupBy(['grantee_id', 'issuing_account', 'operations'])
        // Without an encryption context the constraints decide nothing.
        .$if(pairs !== undefined, (all) =>
          all.where('constraint_pair', 'in', among).groupBy(['constraint_pair', 'constraints']),
        ),
    )
    .execute()
}

function byPair(rows: readonly GrantRow[]): ReadonlyMap<string, readonly Grant[]> {
  return new Map(
    [...Map.groupBy(rows, (row) => row.constraint_pair)].map(([pair, alike]) => [
      pair,
      Object.freeze(alike.map(grantOf)),
    ]),
  )
}

function pairsOf(context: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...context].map(([key, value]) => pairName(key, value)))]
}

function nameOfBound({ keyId, arn }: Grantee): string {
  return `${keyId} ${arn}`
}

/** A long pair is named by its digest, since the number of copies is bounded and not their size. */
function nameOfCopy({ keyId, arn }: Grantee, pair: string): string {
  const short =
    pair.length > NAME_LENGTH_MAX ? createHash('sha256').update(pair).digest('base64url') : pair
  return `${keyId} ${arn} ${short}`
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
